/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LABYRINTH_CONSUMER_H
#define LABYRINTH_CONSUMER_H

#include <linux/atomic.h>
#include <linux/types.h>

#include <labyrinth.h>

/* What the traffic came to: read by the tests as module parameters. */
struct tally {
	atomic64_t softirq_blocks;	/* got in the timer softirq */
	atomic64_t softirq_bulk;	/* of them in bulk */
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

/* Frees what a script has left. */
void script_end(void);

/* Does what no caller should; 0 if everything else stayed as it should be. */
int misuse(const char *name);
int misuse_race(void);

#endif /* LABYRINTH_CONSUMER_H */
