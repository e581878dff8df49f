// SPDX-License-Identifier: GPL-2.0
/*
 * Exports the library to Rust drivers. Generic and inlined functions are compiled into
 * the driver and may refer to any symbol of the library, so all are exported.
 *
 * The interface for C modules is another: that is stable, and exported where it is.
 */
#include <linux/export.h>

#define EXPORTED(symbol)	\
	extern int symbol;	\
	EXPORT_SYMBOL_NS_GPL(symbol, LABYRINTH_NAMESPACE);

#include "exported_generated.h"
