// SPDX-License-Identifier: GPL-2.0
// Taking back twice what C has given back once: the second time it can be out again.

use crate::ffi::{
    exports::Returned,
    handles::Handle, //
};

fn case(block: Returned, owner: Handle) {
    let pages = take_back(block, owner, 0);
    #[cfg(misuse)]
    // error[E0382]: use of moved value: `block`
    let again = take_back(block, owner, 0);
}
