// SPDX-License-Identifier: GPL-2.0
// A page that is said to be with a process, made of any address.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

fn case(address: core::ptr::NonNull<bindings::page>, home: Drawer) {
    #[cfg(misuse)]
    // error[E0451]: is private
    let page = UserPage {
        page: address,
        home: core::mem::ManuallyDrop::new(home),
    };
}
