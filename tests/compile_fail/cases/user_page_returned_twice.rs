// SPDX-License-Identifier: GPL-2.0
// A page that a process was done with, given back to the allocator twice.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
        #[cfg(misuse)]
        // error[E0382]: use of moved value: `page`
        drop(page);
    }
}
