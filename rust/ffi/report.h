/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines in the kernel log.
 */
#ifndef LABYRINTH_REPORT_H
#define LABYRINTH_REPORT_H

#include <linux/types.h>

bool labyrinth_may_print(void);

#endif /* LABYRINTH_REPORT_H */
