// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, dropped while a cell of another CPU is held.

fn case(cell: &CpuCell<u32, ()>) {
    let guard = local_interrupt_disable();
    #[cfg(not(misuse))]
    cell.with_of(0, |_, ()| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    cell.with_of(0, |_, ()| drop(guard));
}
