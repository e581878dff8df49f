// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, dropped in a critical section that began with
// it.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    let guard = local_interrupt_disable();
    #[cfg(not(misuse))]
    lock.with(task, |_, _| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    lock.with(task, |_, _| drop(guard));
}
