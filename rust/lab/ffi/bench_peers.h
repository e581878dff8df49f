/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C side of the benchmark: other ways to get a page, and labyrinth's interface for C modules,
 * each used as its documentation says, and the clock that times all of them.
 */
#ifndef LABYRINTH_BENCH_PEERS_H
#define LABYRINTH_BENCH_PEERS_H

#include <linux/types.h>

/* One peer at one order and one batch size, ready to run. */
struct labyrinth_bench;

/* Returns the name of a peer, NULL after the last. Any context. */
const char *labyrinth_bench_name(unsigned int peer);

/* Returns whether the peer can hand out blocks of 2^order pages. Any context. */
bool labyrinth_bench_has_order(unsigned int peer, unsigned int order);

/* Opens a handle. Task context, may sleep. Returns NULL if there is no memory. */
void *labyrinth_bench_open(unsigned int peer, unsigned int order,
			   unsigned int batch, unsigned int ops);
void labyrinth_bench_close(void *bench);

/*
 * Opens another handle for the same peer. It shares the mempool or slab cache, but has
 * a page_pool of its own, as a page_pool has one consumer. Close it before the first
 * one. Task context, may sleep.
 */
void *labyrinth_bench_open_beside(const void *bench);

/* Returns whether the peer runs only in softirqs; others run wherever GFP_ATOMIC does. */
bool labyrinth_bench_only_in_softirq(unsigned int peer);

/*
 * Gets and gives back `ops` times, `batch` at a time. Call this always on the CPU of
 * the first run, and never at the same time as another run of the same handle. Returns
 * 0 or -ENOMEM.
 */
int labyrinth_bench_run(void *bench);

/* Returns the time: cycles on hardware, instructions under QEMU's -icount. Any context. */
u64 labyrinth_bench_clock(void);

/* As above. Between begin and end, tests/bench/sharing.c counts. Any context. */
u64 labyrinth_bench_begin(void);
u64 labyrinth_bench_end(void);

/* Marks the counts so far as complete: no code is between begin and end. Any context. */
void labyrinth_bench_counted(void);

/* Executes labyrinth_bench_known_instructions() instructions. Any context. */
void labyrinth_bench_known(void);
unsigned int labyrinth_bench_known_instructions(void);

/* An empty call, to be subtracted from the time of labyrinth_bench_known(). Any context. */
void labyrinth_bench_nothing(void);

#endif /* LABYRINTH_BENCH_PEERS_H */
