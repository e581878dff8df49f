// SPDX-License-Identifier: GPL-2.0
// What a lock protects, reached past the lock and its token.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    let value = lock.with(task, |_, held| *held);
    #[cfg(misuse)]
    // error[E0616]: field `inner` of struct
    let value = *lock.inner.lock();
}
