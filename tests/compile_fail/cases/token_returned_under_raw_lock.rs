// SPDX-License-Identifier: GPL-2.0
// A token as the result of a section under a raw spinlock.

fn case(lock: &RawSpinLock<u32>) {
    #[cfg(not(misuse))]
    lock.with(|held| Some(*held));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    lock.with(|_| None::<&'static Task>);
}
