// SPDX-License-Identifier: GPL-2.0
// Taking away from C what it has not given back.

use crate::ffi::{
    exports::Returned,
    handles::Handle, //
};

fn case(block: Returned, owner: Handle) {
    #[cfg(misuse)]
    // error[E0423]: cannot initialize a tuple struct which contains private fields
    let block = Returned(core::ptr::null_mut());
    let _ = take_back(block, owner, 0);
}
