// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, returned from a section whose end enables them.

fn case(lock: &RawSpinLock<u32>) {
    #[cfg(not(misuse))]
    lock.with(|_| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    drop(lock.with(|held| (*held, local_interrupt_disable())));
}
