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

# The objects that the driver is made of.
labyrinth-objects := $(foreach module,$(patsubst %.o,%,$(filter %.o,$(obj-m))), \
	$(or $(strip $($(module)-y) $($(module)-objs)),$(module).o))

# Rebuild the driver when the library has changed.
$(addprefix $(obj)/,$(labyrinth-objects)): $(LABYRINTH)/liblabyrinth.rmeta

# Code in Rust must be compiled like the library that it uses: by the same rustc, for the same crate
# `kernel`. rustc checks both, but its messages do not say what to do about labyrinth.
ifneq ($(wildcard $(labyrinth-objects:%.o=$(src)/%.rs)),)
include $(LABYRINTH)/built_with.mk $(LABYRINTH)/toolchain.mk
ifneq ($(labyrinth-rustc),$(built-with-rustc))
$(error $(LABYRINTH)/labyrinth.ko was built by '$(built-with-rustc)', but rustc \
	is now '$(labyrinth-rustc)'. Build labyrinth and the driver with the same rustc)
endif
ifneq ($(labyrinth-kernel),$(built-with-kernel))
$(error $(LABYRINTH)/labyrinth.ko was built for the kernel in $(built-with-tree). \
	The kernel in $(abspath $(objtree)) has another crate 'kernel'. \
	Build labyrinth and the driver for the same kernel; \
	if that kernel was rebuilt, build labyrinth again)
endif
ifneq ($(labyrinth-flags),$(built-with-flags))
$(error $(LABYRINTH)/labyrinth.ko was built with other flags of rustc: \
	'$(filter-out $(labyrinth-flags),$(built-with-flags))', and now there are \
	'$(filter-out $(built-with-flags),$(labyrinth-flags))' instead. \
	Build labyrinth and the driver with the same flags)
endif
endif
