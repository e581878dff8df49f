// SPDX-License-Identifier: GPL-2.0
// Using the data of a lock after the lock was released.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    let mut kept = None;

    lock.with(task, |_, held| {
        #[cfg(not(misuse))]
        let used = kept.insert(*held);
        #[cfg(misuse)]
        // error[E0521]: borrowed data escapes outside of closure
        let used = kept.insert(held);
    });
    kept.take();
}
