// SPDX-License-Identifier: GPL-2.0
// Allocating with `GFP_KERNEL`, with the kernel crate's proof that interrupts are disabled.

fn case(disabled: &LocalInterruptDisabled) {
    #[cfg(not(misuse))]
    let _ = ExclusivePage::alloc(disabled, GfpNoLock);
    #[cfg(misuse)]
    // error[E0277]: is atomic context, which may not sleep
    let _ = ExclusivePage::alloc(disabled, GfpKernel);
}
