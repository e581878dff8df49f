// SPDX-License-Identifier: GPL-2.0
/* The part of labyrinth of this name, built into this module, which exports nothing. */
#define __DISABLE_EXPORTS
#include "../../../rust/ffi/alloc_tag.c"
