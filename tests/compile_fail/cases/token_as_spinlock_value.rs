// SPDX-License-Identifier: GPL-2.0
// A task's token as the value behind a spinlock that borrows another token of the same task.

fn case(numbers: &SpinLockBh<u32>, tokens: &SpinLockBh<&mut Task>, cx: &mut Task) {
    #[cfg(not(misuse))]
    numbers.with(cx, |_, held| *held += 1);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    tokens.with(cx, |_, task| drop(ExclusivePage::alloc(&**task, GfpKernel)));
}
