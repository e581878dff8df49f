// SPDX-License-Identifier: GPL-2.0
/*
 * A module that uses labyrinth from C, for the tests.
 *
 *	run	1 starts the traffic, 0 stops it
 *	misuse	the name of a misuse: commits it, and fails with EIO if that did any
 *		harm to others
 *	script	see script.c
 *
 * The other parameters are the counts of the traffic, see struct tally.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "consumer.h"

struct tally tally;

unsigned int order = 1;
module_param(order, uint, 0444);
MODULE_PARM_DESC(order, "order of the blocks of its own pool");

bool compound;
module_param(compound, bool, 0444);
MODULE_PARM_DESC(compound, "whether those are compound pages");

unsigned long long highest;
module_param(highest, ullong, 0444);
MODULE_PARM_DESC(highest, "highest physical address that those may have");

static bool running;
static DEFINE_MUTEX(lock);

static int set_run(bool run)
{
	int ret = 0;

	if (run && !running)
		ret = traffic_start();
	else if (!run && running)
		traffic_stop();
	if (!ret)
		running = run;
	return ret;
}

static int run_set(const char *text, const struct kernel_param *param)
{
	bool run;
	int ret = kstrtobool(text, &run);

	if (ret)
		return ret;
	mutex_lock(&lock);
	ret = set_run(run);
	mutex_unlock(&lock);
	return ret;
}

static int run_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", running);
}

static const struct kernel_param_ops run_ops = {
	.set = run_set,
	.get = run_get,
};

/* Not to be set at load: traffic needs the complete module. */
module_param_cb(run, &run_ops, NULL, 0644);

static int misuse_set(const char *text, const struct kernel_param *param)
{
	char name[32];
	int ret;

	if (strscpy(name, text) < 0)
		return -EINVAL;
	mutex_lock(&lock);
	ret = misuse(strim(name));
	mutex_unlock(&lock);
	return ret;
}

static const struct kernel_param_ops misuse_ops = {
	.set = misuse_set,
};

module_param_cb(misuse, &misuse_ops, NULL, 0200);

static int tally_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%lld\n", atomic64_read(param->arg));
}

static const struct kernel_param_ops tally_ops = {
	.get = tally_get,
};

module_param_cb(softirq_blocks, &tally_ops, &tally.softirq_blocks, 0444);
module_param_cb(softirq_bulk, &tally_ops, &tally.softirq_bulk, 0444);
module_param_cb(task_blocks, &tally_ops, &tally.task_blocks, 0444);
module_param_cb(spinlock_blocks, &tally_ops, &tally.spinlock_blocks, 0444);
module_param_cb(passed_on, &tally_ops, &tally.passed_on, 0444);
module_param_cb(failures, &tally_ops, &tally.failures, 0444);
module_param_cb(corruptions, &tally_ops, &tally.corruptions, 0444);
module_param_cb(misshapen, &tally_ops, &tally.misshapen, 0444);

static int __init consumer_init(void)
{
	return 0;
}

static void __exit consumer_exit(void)
{
	set_run(false);
	script_end();
}

module_init(consumer_init);
module_exit(consumer_exit);
MODULE_AUTHOR("The labyrinth developers");
MODULE_DESCRIPTION("Uses labyrinth from C, for its tests");
MODULE_LICENSE("GPL");
