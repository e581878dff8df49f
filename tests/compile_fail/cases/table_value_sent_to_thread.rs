// SPDX-License-Identifier: GPL-2.0
// A read-side section of RCU that one thread begins and another one ends.

use crate::ffi::handles::*;

fn to_another_thread<T: Send>(_value: T) {}

fn case(table: &'static Handles<u32>, handle: Handle) {
    let Some(borrowed) = table.get(handle) else {
        return;
    };
    #[cfg(not(misuse))]
    to_another_thread(*borrowed);
    #[cfg(misuse)]
    // error[E0277]: cannot be sent between threads safely
    to_another_thread(borrowed);
}
