// SPDX-License-Identifier: GPL-2.0
// A page allocated, perhaps asleep, while a published value is in use.

fn case(tier: &RcuSlot<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    tier.with(|value| *value);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    tier.with(|_| drop(ExclusivePage::alloc(task, GfpKernel)));
}
