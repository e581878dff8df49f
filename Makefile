# SPDX-License-Identifier: GPL-2.0
# What a person types. The kernel's build reads Kbuild instead of this file.

KERNEL := $(if $(KDIR),kdir,stock)
export KDIR FLAVOUR SERIES JOBS LABYRINTH_CACHE LABYRINTH_REFRESH
export WHAT KERNEL
export WALL_MEMORY WALL_BURST WALL_ROUNDS WALL_FRAGMENTATION

# The tools here do their own parallel work and print their own progress.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

.PHONY: module
module:
	@scripts/build.sh $(KERNEL)

.PHONY: demo check quick soak lint shell bench wall
demo check quick soak lint shell bench wall:
	@scripts/$@.sh

.PHONY: clean distclean
clean distclean:
	@scripts/clean.sh $@

.PHONY: help
help:
	@scripts/help.sh

.DEFAULT:
	@scripts/help.sh >&2; echo "labyrinth: error: there is no target '$@'" >&2; exit 2
