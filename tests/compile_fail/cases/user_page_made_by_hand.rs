// SPDX-License-Identifier: GPL-2.0
// Making a `UserPage` from an address.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

fn case(page: core::ptr::NonNull<bindings::page>, home: core::mem::ManuallyDrop<Drawer>) {
    #[cfg(misuse)]
    // error[E0451]: is private
    let made = UserPage { page, home };
}
