// SPDX-License-Identifier: GPL-2.0
// Exchanging the token of a critical section for another one, to take it out.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    lock.with(task, |_, held| drop(core::mem::replace(held, 1)));
    #[cfg(misuse)]
    // error[E0308]: types differ in mutability
    lock.with(task, |cx, _| drop(core::mem::replace(cx, loop {})));
}
