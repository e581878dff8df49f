// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard, out of a section whose end enables the interrupts that it stands for.

fn case(lock: &RawSpinLock<u32>) {
    #[cfg(not(misuse))]
    lock.with(|_| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    drop(lock.with(|held| (*held, local_interrupt_disable())));
}
