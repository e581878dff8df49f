// SPDX-License-Identifier: GPL-2.0
// Taking a lock inside a critical section. If it is the same lock, this would wait for ever.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    lock.with(task, |cx, held| {
        #[cfg(not(misuse))]
        let sum = *held + 1;
        #[cfg(misuse)]
        // error[E0308]: mismatched types: types differ in mutability
        let sum = lock.with(cx, |_, held| *held + 1);
    });
}
