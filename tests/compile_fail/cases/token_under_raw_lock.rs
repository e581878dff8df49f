// SPDX-License-Identifier: GPL-2.0
// Allocating a page under a lock that spins even on PREEMPT_RT.

fn case(lock: &RawSpinLock<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    lock.with(|held| *held += 1);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    lock.with(|held| drop(ExclusivePage::alloc(task, GfpKernel)));
}
