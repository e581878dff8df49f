// SPDX-License-Identifier: GPL-2.0
/*
 * Files in debugfs.
 */
#include <linux/debugfs.h>

#include "debugfs.h"

/* These are inline functions if the kernel is built without debugfs. */
struct dentry *labyrinth_debugfs_dir(const char *name, struct dentry *parent)
{
	return debugfs_create_dir(name, parent);
}

void labyrinth_debugfs_file(const char *name, umode_t mode,
			    struct dentry *parent, void *data,
			    const struct file_operations *operations)
{
	debugfs_create_file(name, mode, parent, data, operations);
}

void labyrinth_debugfs_remove(struct dentry *dentry)
{
	debugfs_remove(dentry);
}
