// SPDX-License-Identifier: GPL-2.0
/*
 * Makes functions of the kernel fail, or pretend something, although nothing is wrong. The
 * functions that change cache attributes otherwise fail only if memory is short at that very
 * moment, and those for confidential guests do nothing outside of such a guest.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include "refusal.h"

#if defined(CONFIG_KRETPROBES) && defined(CONFIG_X86_64)
static struct refusal {
	const char *function;
	/* The function does its work, and then returns this; or fails at once if this is 0. */
	int result;
	/* Only calls by this task count, if it is not NULL. */
	const struct task_struct *task;
	atomic_t left;
	struct kprobe at_call;
	struct kretprobe at_return;
} refusals[] = {
	[LABYRINTH_REFUSE_SET] = { .function = "set_pages_array_wc", .result = -ENOMEM },
	[LABYRINTH_REFUSE_RESET] = { .function = "set_pages_array_wb" },
	[LABYRINTH_REFUSE_SHARE] = { .function = "set_memory_decrypted" },
	[LABYRINTH_REFUSE_TAKE_BACK] = { .function = "set_memory_encrypted" },
	[LABYRINTH_PRETEND_HOST] = { .function = "labyrinth_host_exists", .result = 1 },
};

static bool is_refused(struct refusal *refusal)
{
	if (refusal->task && refusal->task != current)
		return false;
	return atomic_dec_if_positive(&refusal->left) >= 0;
}
NOKPROBE_SYMBOL(is_refused);

static int change_result(struct kretprobe_instance *call, struct pt_regs *regs)
{
	struct refusal *refusal = container_of(get_kretprobe(call), struct refusal, at_return);

	if (is_refused(refusal))
		regs_set_return_value(regs, refusal->result);
	return 0;
}
NOKPROBE_SYMBOL(change_result);

static notrace noinline int fail(void)
{
	return -ENOMEM;
}

/* The function has just been called, so fail() returns to its caller. */
static int fail_at_once(struct kprobe *probe, struct pt_regs *regs)
{
	if (!is_refused(container_of(probe, struct refusal, at_call)))
		return 0;
	instruction_pointer_set(regs, (unsigned long)fail);
	return 1;
}
NOKPROBE_SYMBOL(fail_at_once);

/* The kernel lets a probe change the registers only if it has this function, too. */
static void after(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

/*
 * The next @times calls fail, or pretend. -ENOENT if there is no such function. Task context,
 * sleeps.
 */
int labyrinth_refuse(unsigned int which, int times)
{
	struct refusal *refusal = &refusals[which];

	/* Other users of that function must get the truth. */
	refusal->task = which == LABYRINTH_PRETEND_HOST ? current : NULL;
	atomic_set(&refusal->left, times);
	/* A probe that was registered before has to be made anew. */
	if (refusal->result) {
		refusal->at_return = (struct kretprobe) {
			.kp.symbol_name = refusal->function,
			.handler = change_result,
		};
		return register_kretprobe(&refusal->at_return);
	}
	refusal->at_call = (struct kprobe) {
		.symbol_name = refusal->function,
		.pre_handler = fail_at_once,
		.post_handler = after,
	};
	return register_kprobe(&refusal->at_call);
}

/* How many of these calls have not come yet. */
int labyrinth_refusals_left(unsigned int which)
{
	return atomic_read(&refusals[which].left);
}

/* The function works again. Task context, sleeps. */
void labyrinth_refuse_no_more(unsigned int which)
{
	struct refusal *refusal = &refusals[which];

	if (refusal->result)
		unregister_kretprobe(&refusal->at_return);
	else
		unregister_kprobe(&refusal->at_call);
}
#else
int labyrinth_refuse(unsigned int which, int times)
{
	return -ENOENT;
}

int labyrinth_refusals_left(unsigned int which)
{
	return 0;
}

void labyrinth_refuse_no_more(unsigned int which)
{
}
#endif
