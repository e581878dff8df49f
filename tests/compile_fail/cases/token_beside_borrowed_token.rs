// SPDX-License-Identifier: GPL-2.0
// A token beside the one that a spinlock borrows, both of the same task.

fn case(lock: &SpinLockBh<u32>, one: &mut Task, other: &mut Task) {
    #[cfg(not(misuse))]
    lock.with(one, |cx, _| drop(ExclusivePage::alloc(cx, GfpAtomic)));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    lock.with(one, |_, _| drop(ExclusivePage::alloc(other, GfpKernel)));
}
