/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C side of labyrinth_lab.ko. bindgen reads this file (see Kbuild); only rust/lab/ffi calls it.
 */
#ifndef LABYRINTH_LAB_H
#define LABYRINTH_LAB_H

#include "bench_peers.h"
#include "mempool.h"

#endif /* LABYRINTH_LAB_H */
