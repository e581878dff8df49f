// SPDX-License-Identifier: GPL-2.0
// Using the data of a lock without taking the lock.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    let value = lock.with(task, |_, held| *held);
    #[cfg(misuse)]
    // error[E0616]: field `inner` of struct
    let value = *lock.inner.lock();
}
