// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, stored in the cell of another CPU.

fn case(numbers: &CpuCell<Option<u32>, ()>, guards: &CpuCell<Option<LocalInterruptDisabled>, ()>) {
    #[cfg(not(misuse))]
    numbers.with_of(0, |private, ()| *private = Some(1));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    guards.with_of(0, |private, ()| *private = Some(local_interrupt_disable()));
}
