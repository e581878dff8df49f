// SPDX-License-Identifier: GPL-2.0
/* Appended to rust/ffi/report.c in the copies that mutants.py makes. */

#include <linux/moduleparam.h>

unsigned int labyrinth_mutant;
module_param_named(mutant, labyrinth_mutant, uint, 0600);
