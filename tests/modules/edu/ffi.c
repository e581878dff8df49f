// SPDX-License-Identifier: GPL-2.0
#include "../ffi_parts.h"
