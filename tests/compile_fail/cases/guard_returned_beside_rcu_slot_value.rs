// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, returned from an RCU read-side section.

fn case(slot: &RcuSlot<u32>) {
    #[cfg(not(misuse))]
    slot.with(|_| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    drop(slot.with(|_| local_interrupt_disable()));
}
