// SPDX-License-Identifier: GPL-2.0
/* mutants.py appends this file to rust/ffi/report.c in the copies that it makes. */

#include <linux/moduleparam.h>

unsigned int labyrinth_mutant;
module_param_named(mutant, labyrinth_mutant, uint, 0600);
