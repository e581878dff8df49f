// SPDX-License-Identifier: GPL-2.0
// A page allocated with a lock held that spins, on PREEMPT_RT, too.

fn case(lock: &RawSpinLock<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    lock.with(|held| *held += 1);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    lock.with(|held| drop(ExclusivePage::alloc(task, GfpKernel)));
}
