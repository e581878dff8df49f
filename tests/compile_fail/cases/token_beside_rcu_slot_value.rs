// SPDX-License-Identifier: GPL-2.0
// Allocating a page with flags that may sleep while a published value is in use.

fn case(slot: &RcuSlot<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    slot.with(|value| *value);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    slot.with(|_| drop(ExclusivePage::alloc(task, GfpKernel)));
}
