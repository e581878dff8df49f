// SPDX-License-Identifier: GPL-2.0
// What a handle stands for, used after it was given back to the table.

use crate::ffi::handles::*;

fn case(table: &'static Handles<u32>, handle: Handle) {
    let Some(borrowed) = table.get(handle) else {
        return;
    };
    let kept: &u32 = &borrowed;
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `borrowed` because it is borrowed
    drop(borrowed);
    let _value = *kept;
}
