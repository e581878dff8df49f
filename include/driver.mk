# SPDX-License-Identifier: GPL-2.0
# Included by the Kbuild of a driver, which is built with LABYRINTH=FOLDER, the folder that labyrinth.ko
# was built in. A driver in Rust may use the crate `labyrinth`, one in C "labyrinth.h"; see the samples.

ifeq ($(wildcard $(LABYRINTH)/liblabyrinth.rmeta),)
$(error LABYRINTH is '$(LABYRINTH)', which is not the folder that labyrinth.ko was built in)
endif

KBUILD_EXTRA_SYMBOLS += $(LABYRINTH)/Module.symvers
ccflags-y += -I$(LABYRINTH)
rustflags-y += -L $(LABYRINTH) --extern labyrinth

# The driver is built again when the library has changed.
$(addprefix $(obj)/,$(foreach module,$(obj-m:.o=),$(or $($(module)-y),$(module).o))): \
	$(LABYRINTH)/liblabyrinth.rmeta
