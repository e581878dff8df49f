// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, returned from a critical section, which ends
// with them enabled.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    lock.with(task, |_, _| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    drop(lock.with(task, |_, _| Some(local_interrupt_disable())));
}
