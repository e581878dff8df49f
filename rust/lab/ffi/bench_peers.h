/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C side of the benchmark: other ways to get a page, and labyrinth's interface for C modules,
 * each used as its documentation says, and the clock that all are timed with.
 */
#ifndef LABYRINTH_BENCH_PEERS_H
#define LABYRINTH_BENCH_PEERS_H

#include <linux/types.h>

/* One peer at one order and one batch size, ready to run. */
struct labyrinth_bench;

/* The name of a peer, NULL after the last. Any context. */
const char *labyrinth_bench_name(unsigned int peer);

/* Whether it can hand out blocks of so many pages. Any context. */
bool labyrinth_bench_has_order(unsigned int peer, unsigned int order);

/* Task context, may sleep. NULL when there is no memory. */
void *labyrinth_bench_open(unsigned int peer, unsigned int order,
			   unsigned int batch, unsigned int ops);
void labyrinth_bench_close(void *bench);

/*
 * Another handle for the same peer, with the same mempool or slab cache, but a page_pool of its
 * own, as that has one consumer. Closed before the first. Task context, may sleep.
 */
void *labyrinth_bench_open_beside(const void *bench);

/* Whether it runs in softirqs alone; all others run wherever GFP_ATOMIC does. Any context. */
bool labyrinth_bench_only_in_softirq(unsigned int peer);

/*
 * Gets and gives back `ops` times, `batch` at a time. Always on the CPU of the first run,
 * never at the same time as another run of the same handle. 0 or -ENOMEM.
 */
int labyrinth_bench_run(void *bench);

/* The time: cycles on hardware, instructions under QEMU's -icount shift=0. Any context. */
u64 labyrinth_bench_clock(void);

/* The same, for the begin and the end of what tests/bench/sharing.c counts. Any context. */
u64 labyrinth_bench_begin(void);
u64 labyrinth_bench_end(void);

/* What was counted until now is complete: nobody is between begin and end. Any context. */
void labyrinth_bench_counted(void);

/* As many instructions as labyrinth_bench_known_instructions() says. Any context. */
void labyrinth_bench_known(void);
unsigned int labyrinth_bench_known_instructions(void);

/* An empty call, to be subtracted from what labyrinth_bench_known() takes. Any context. */
void labyrinth_bench_nothing(void);

#endif /* LABYRINTH_BENCH_PEERS_H */
