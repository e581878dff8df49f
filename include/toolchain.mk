# SPDX-License-Identifier: GPL-2.0
# Included by labyrinth's Kbuild and by driver.mk. The library and a driver must agree on these.

labyrinth-rustc := $(shell $(RUSTC) --version)
# The flags that change the generated code. Those about warnings may differ.
labyrinth-flags := $(sort $(filter -C% -Z%,$(KBUILD_RUSTFLAGS) $(KBUILD_RUSTFLAGS_MODULE)))
labyrinth-kernel := $(firstword $(shell sha256sum $(objtree)/rust/libkernel.rmeta))
