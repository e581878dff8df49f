# SPDX-License-Identifier: GPL-2.0
# Included by the Kbuild of a driver in Rust, which is built with LABYRINTH=FOLDER, the folder that
# labyrinth.ko was built in. The driver may use the crate `labyrinth`; see samples/rust_pool.

ifeq ($(wildcard $(LABYRINTH)/liblabyrinth.rmeta),)
$(error LABYRINTH is '$(LABYRINTH)', which is not the folder that labyrinth.ko was built in)
endif

KBUILD_EXTRA_SYMBOLS += $(LABYRINTH)/Module.symvers
rustflags-y += -L $(LABYRINTH) --extern labyrinth

# The driver is built again when the library has changed.
$(addprefix $(obj)/,$(foreach module,$(obj-m:.o=),$(or $($(module)-y),$(module).o))): \
	$(LABYRINTH)/liblabyrinth.rmeta
