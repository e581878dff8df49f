// SPDX-License-Identifier: GPL-2.0
/*
 * Exports the library to Rust drivers. Generic and inlined functions are compiled into
 * the driver and may refer to any symbol of the library, so all symbols are exported.
 *
 * The interface for C modules is a separate one. It is stable, and its functions are
 * exported in exports.c.
 */
#include <linux/export.h>

#define EXPORTED(symbol)	\
	extern int symbol;	\
	EXPORT_SYMBOL_NS_GPL(symbol, LABYRINTH_NAMESPACE)

#include "exported_generated.h"
