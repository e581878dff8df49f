// SPDX-License-Identifier: GPL-2.0
/*
 * Lines in the kernel log.
 */
#include <linux/ratelimit.h>

#include "report.h"

/* Our own lines say how many were left out, so the kernel need not print that, too. */
bool labyrinth_may_print(void)
{
	static struct ratelimit_state limit =
		RATELIMIT_STATE_INIT_FLAGS(limit, DEFAULT_RATELIMIT_INTERVAL,
					   DEFAULT_RATELIMIT_BURST, RATELIMIT_MSG_ON_RELEASE);

	return __ratelimit(&limit);
}
