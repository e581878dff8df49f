// SPDX-License-Identifier: GPL-2.0
// A lock that enables bottom halves again, taken in a hard interrupt.

fn case(lock: &SpinLockBh<u32>, task: &mut Task, interrupt: &mut HardIrq) {
    #[cfg(not(misuse))]
    lock.with(task, |_, held| *held += 1);
    #[cfg(misuse)]
    // error[E0277]: is a context with interrupts disabled
    lock.with(interrupt, |_, held| *held += 1);
}
