// SPDX-License-Identifier: GPL-2.0
/* The part of labyrinth of this name, built into this module. */
#include "../../../rust/ffi/view.c"
