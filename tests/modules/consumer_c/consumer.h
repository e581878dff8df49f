/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LABYRINTH_CONSUMER_H
#define LABYRINTH_CONSUMER_H

#include <linux/atomic.h>
#include <linux/types.h>

#include <labyrinth.h>

/* Counts of the traffic. The tests read them as module parameters. */
struct tally {
	atomic64_t softirq_blocks;	/* got in the timer softirq */
	atomic64_t softirq_bulk;	/* those of them that were got in bulk */
	atomic64_t task_blocks;		/* got in task context */
	atomic64_t spinlock_blocks;	/* got under a spinlock */
	atomic64_t passed_on;		/* got in the softirq, given back by the thread */
	atomic64_t failures;		/* requests that were not served */
	atomic64_t corruptions;		/* blocks that did not hold what was written */
	atomic64_t misshapen;		/* blocks of another form than was asked for */
};

extern struct tally tally;
extern unsigned int order;
extern bool compound;
extern unsigned long long highest;

void stamp(void *block, unsigned int block_order, u64 value);
bool stamped(const void *block, unsigned int block_order, u64 value);

int traffic_start(void);
void traffic_stop(void);

/* Gives back the blocks, and destroys the pools, that a script has left. */
void script_end(void);

/* Commits a misuse by its name. Returns 0 if it did no harm. */
int misuse(const char *name);
int misuse_race(void);

#endif /* LABYRINTH_CONSUMER_H */
