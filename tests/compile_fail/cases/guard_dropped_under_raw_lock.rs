// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, dropped while a lock is held that relies on it.

fn case(lock: &RawSpinLock<u32>) {
    let guard = local_interrupt_disable();
    #[cfg(not(misuse))]
    lock.with(|_| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    lock.with(|_| drop(guard));
}
