// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that uses labyrinth is a module of its own, and is loaded after labyrinth.
 * So labyrinth keeps a list of all modules that were loaded since, and counts for each
 * of them what the kernel may call. When a module is unloaded, the module loader first
 * runs its exit function, then calls module_notify(), and only then frees the module's
 * memory.
 *
 * A driver needs to do nothing. Its module is found by the address of its function.
 */
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "mm/attribute.h"
#include "unload.h"

struct called_module {
	struct list_head list;
	const struct module *module;
	u32 count;
};

static LIST_HEAD(modules);
static DEFINE_RAW_SPINLOCK(modules_lock);
static void (*wait_for_zero)(const u32 *count, const char *module);
/* The count of labyrinth itself, which is not in the list. */
static u32 own_count;

/*
 * If there is no memory, the module is not loaded. So each module has a count, and an
 * address without a count is in no module.
 */
static int module_comes(const struct module *module)
{
	struct called_module *called = kzalloc(sizeof(*called), GFP_KERNEL);

	if (!called)
		return -ENOMEM;
	called->module = module;
	guard(raw_spinlock_irqsave)(&modules_lock);
	list_add(&called->list, &modules);
	return 0;
}

static struct called_module *called_module(const struct module *module)
{
	struct called_module *called;

	guard(raw_spinlock_irqsave)(&modules_lock);
	list_for_each_entry(called, &modules, list)
		if (called->module == module)
			return called;
	return NULL;
}

/*
 * The exit function of the module has returned, or its init function has failed. So if
 * the count is zero, no code of the module runs any more, and the count cannot grow.
 */
static void module_goes(struct module *module)
{
	struct called_module *called = called_module(module);

	if (!called)
		return;
	/* The init function may have failed while a file of the module was open. */
	while (module_refcount(module) > 0)
		msleep(100);
	wait_for_zero(&called->count, module_name(module));
	scoped_guard(raw_spinlock_irqsave, &modules_lock)
		list_del(&called->list);
	kfree(called);
}

static int module_notify(struct notifier_block *block, unsigned long state, void *module)
{
	if (state == MODULE_STATE_COMING)
		return notifier_from_errno(module_comes(module));
	if (state == MODULE_STATE_GOING)
		module_goes(module);
	return NOTIFY_OK;
}

static struct notifier_block module_notifier = {
	.notifier_call = module_notify,
};

/* wait() is called for each module that is unloaded, in task context, and may sleep. */
int labyrinth_unload_begin(void (*wait)(const u32 *count, const char *module))
{
	if (wait_for_zero)
		return -EBUSY;
	wait_for_zero = wait;
	return register_module_notifier(&module_notifier);
}

/* All modules that use labyrinth are gone, as they keep it loaded. Others have no count. */
void labyrinth_unload_end(void)
{
	struct called_module *called, *next;

	unregister_module_notifier(&module_notifier);
	labyrinth_attribute_settle();
	list_for_each_entry_safe(called, next, &modules, list)
		kfree(called);
}

u32 *labyrinth_unload_own(void)
{
	return &own_count;
}

/*
 * Returns the count of the module that the code is in. Returns NULL if the code is neither
 * in labyrinth nor in a module that was loaded after it.
 */
u32 *labyrinth_unload_count(const void *code)
{
	struct called_module *called;

	if (within_module((unsigned long)code, THIS_MODULE))
		return &own_count;
	guard(raw_spinlock_irqsave)(&modules_lock);
	list_for_each_entry(called, &modules, list)
		if (within_module((unsigned long)code, called->module))
			return &called->count;
	return NULL;
}

/* The name of that module, valid as long as the module is loaded. */
const char *labyrinth_unload_name(const void *code)
{
	struct called_module *called;

	if (within_module((unsigned long)code, THIS_MODULE))
		return module_name(THIS_MODULE);
	guard(raw_spinlock_irqsave)(&modules_lock);
	list_for_each_entry(called, &modules, list)
		if (within_module((unsigned long)code, called->module))
			return called->module->name;
	return NULL;
}
