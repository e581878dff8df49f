/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files in debugfs.
 */
#ifndef LABYRINTH_DEBUGFS_H
#define LABYRINTH_DEBUGFS_H

#include <linux/types.h>

struct dentry;
struct file_operations;

struct dentry *labyrinth_debugfs_dir(const char *name, struct dentry *parent);
void labyrinth_debugfs_file(const char *name, umode_t mode,
			    struct dentry *parent, void *data,
			    const struct file_operations *operations);
void labyrinth_debugfs_remove(struct dentry *dentry);

#endif /* LABYRINTH_DEBUGFS_H */
