# SPDX-License-Identifier: GPL-2.0
# The targets for people; `make help` lists them. The kernel's build reads Kbuild instead.

KERNEL := $(if $(KDIR),kdir,stock)
VARIABLES := KDIR FLAVOUR SERIES JOBS LABYRINTH_CACHE LABYRINTH_REFRESH WHAT KERNEL \
	WALL_MEMORY WALL_BURST WALL_ROUNDS WALL_FRAGMENTATION WALL_TRAFFIC WALL_SEEDS
# Many environments set these two for other purposes.
ON_COMMAND_LINE := $(foreach name,NAME DIR,$(if $(filter command,$(origin $(name))),$(name)))
VARIABLES += $(ON_COMMAND_LINE)
unexport $(filter-out $(ON_COMMAND_LINE),NAME DIR)
# make would expand a $ in a value from the command line, and the scripts would see another path.
$(foreach name,$(VARIABLES),$(if $(filter command,$(origin $(name))),\
	$(eval override $(name) := $$(value $(name)))))
export $(VARIABLES)
# Of these targets each uses the kernels that it needs. Ignoring KERNEL would hide that.
WITHOUT_KERNEL := demo check soak shell bench wall lint new-driver clean distclean
ifneq ($(KERNEL),$(if $(KDIR),kdir,stock))
$(WITHOUT_KERNEL): refuse-kernel
endif
# scripts/lib/variables.sh drops all other variables, but these change bash before it runs.
unexport BASH_ENV SHELLOPTS BASHOPTS

# The scripts work in parallel by themselves, and print their own progress.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

.PHONY: module
module:
	@bash scripts/build/build.sh $(KERNEL)

.PHONY: demo check quick soak shell bench wall
demo check quick soak shell bench wall:
	@bash scripts/runs/$@.sh

.PHONY: tool
tool:
	@bash scripts/build/tool.sh

.PHONY: lint
lint:
	@bash scripts/lint/lint.sh

.PHONY: new-driver driver doc rust-analyzer
new-driver driver doc rust-analyzer:
	@bash scripts/build/$@.sh

.PHONY: clean distclean
clean distclean:
	@bash scripts/environment/clean.sh $@

.PHONY: refuse-kernel
refuse-kernel:
	@echo "labyrinth: error: only make, make quick, make driver, make doc and" \
		"make rust-analyzer use KERNEL" >&2; exit 2

.PHONY: help
help:
	@bash scripts/help.sh

# This file is never remade, not even with -B.
Makefile: ;

.DEFAULT:
	@bash scripts/help.sh >&2; echo "labyrinth: error: there is no target '$@'" >&2; exit 2
