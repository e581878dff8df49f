// SPDX-License-Identifier: GPL-2.0
// A function that may sleep, called while the value of a table is in use.

fn sleeps(_cx: &Task) {}

fn case(table: &'static Handles<u32>, handle: Handle, task: &Task) {
    #[cfg(not(misuse))]
    table.with(handle, &NoToken, |value, _| *value);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    table.with(handle, &NoToken, |_, _| sleeps(task));
    sleeps(task);
}
