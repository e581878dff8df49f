// SPDX-License-Identifier: GPL-2.0
// Freeing a page twice that a process has returned.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
        #[cfg(misuse)]
        // error[E0382]: use of moved value: `page`
        drop(page);
    }
}
