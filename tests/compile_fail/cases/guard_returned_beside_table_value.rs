// SPDX-License-Identifier: GPL-2.0
// A guard made while the value of a table is in use, and kept for longer.

fn case(table: &'static Handles<u32>, handle: Handle) {
    #[cfg(not(misuse))]
    table.with(handle, &NoToken, |_, _| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    table.with(handle, &NoToken, |_, _| local_interrupt_disable());
}
