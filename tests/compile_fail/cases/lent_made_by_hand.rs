// SPDX-License-Identifier: GPL-2.0
// Giving C an address that nobody owns pages at.

use crate::ffi::{
    exports::Lent,
    handles::Handle, //
};

fn case(pages: ExclusivePages<Uninit>, owner: Handle) -> Lent {
    #[cfg(not(misuse))]
    return lend(pages, owner);
    #[cfg(misuse)]
    // error[E0133]: call to unsafe function
    return Lent::new(core::ptr::NonNull::dangling());
}
