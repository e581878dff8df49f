// SPDX-License-Identifier: GPL-2.0
// A token as the value behind a raw spinlock, where it would allow sleeping.

fn case(numbers: &RawSpinLock<u32>, tokens: &RawSpinLock<&mut Task>) {
    #[cfg(not(misuse))]
    numbers.with(|held| *held += 1);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    tokens.with(|task| drop(ExclusivePage::alloc(&**task, GfpKernel)));
}
