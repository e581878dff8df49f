// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, returned from the access to another CPU's cell.

fn case(cell: &CpuCell<u32, ()>) {
    #[cfg(not(misuse))]
    cell.with_of(0, |_, ()| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    drop(cell.with_of(0, |_, ()| local_interrupt_disable()));
}
