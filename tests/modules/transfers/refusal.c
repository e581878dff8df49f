// SPDX-License-Identifier: GPL-2.0
/*
 * Makes functions of the kernel fail that change cache attributes, which otherwise happens
 * only if memory is short at that very moment. One function fails after it has changed all
 * pages, the other one before it changes any: these are the worst cases for the caller.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "refusal.h"

#if defined(CONFIG_KRETPROBES) && defined(CONFIG_X86_64)
static atomic_t left[LABYRINTH_NR_REFUSALS];

/* Changes the result of a call that has returned. */
static int fail_at_return(struct kretprobe_instance *call, struct pt_regs *regs)
{
	if (atomic_dec_if_positive(&left[LABYRINTH_REFUSE_SET]) >= 0)
		regs_set_return_value(regs, -ENOMEM);
	return 0;
}
NOKPROBE_SYMBOL(fail_at_return);

static notrace noinline int fail(void)
{
	return -ENOMEM;
}

/* The function has just been called, so fail() returns to its caller. */
static int fail_at_call(struct kprobe *probe, struct pt_regs *regs)
{
	if (atomic_dec_if_positive(&left[LABYRINTH_REFUSE_RESET]) < 0)
		return 0;
	instruction_pointer_set(regs, (unsigned long)fail);
	return 1;
}
NOKPROBE_SYMBOL(fail_at_call);

/* The kernel lets a probe change the registers only if it has this function, too. */
static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kretprobe set;
static struct kprobe reset;

/* The next @times calls of a function fail, on all CPUs. Task context, sleeps. */
int labyrinth_refuse(unsigned int which, int times)
{
	atomic_set(&left[which], times);
	/* A probe that was registered before has to be made anew. */
	if (which == LABYRINTH_REFUSE_SET) {
		set = (struct kretprobe) {
			.kp.symbol_name = "set_pages_array_wc",
			.handler = fail_at_return,
		};
		return register_kretprobe(&set);
	}
	reset = (struct kprobe) {
		.symbol_name = "set_pages_array_wb",
		.pre_handler = fail_at_call,
		.post_handler = after,
	};
	return register_kprobe(&reset);
}

/* How many of these calls have not come yet. */
int labyrinth_refusals_left(unsigned int which)
{
	return atomic_read(&left[which]);
}

/* The function works again. Task context, sleeps. */
void labyrinth_refuse_no_more(unsigned int which)
{
	if (which == LABYRINTH_REFUSE_SET)
		unregister_kretprobe(&set);
	else
		unregister_kprobe(&reset);
}
#else
int labyrinth_refuse(unsigned int which, int times)
{
	return -EOPNOTSUPP;
}

int labyrinth_refusals_left(unsigned int which)
{
	return 0;
}

void labyrinth_refuse_no_more(unsigned int which)
{
}
#endif
