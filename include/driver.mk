# SPDX-License-Identifier: GPL-2.0
# The Kbuild file of a driver includes this file. Build the driver with LABYRINTH=FOLDER, where
# FOLDER is the folder that labyrinth.ko was built in. A driver in Rust can use the crate
# `labyrinth`, a driver in C the header "labyrinth.h". See the samples.

ifeq ($(wildcard $(LABYRINTH)/liblabyrinth.rmeta),)
$(error LABYRINTH is '$(LABYRINTH)', which is not the folder that labyrinth.ko was built in)
endif

KBUILD_EXTRA_SYMBOLS += $(LABYRINTH)/Module.symvers
ccflags-y += -I$(LABYRINTH)
rustflags-y += -L $(LABYRINTH) --extern labyrinth

# Rebuild the driver when the library has changed.
$(addprefix $(obj)/,$(foreach module,$(obj-m:.o=),$(or $($(module)-y),$(module).o))): \
	$(LABYRINTH)/liblabyrinth.rmeta
