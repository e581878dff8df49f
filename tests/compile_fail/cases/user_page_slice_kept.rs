// SPDX-License-Identifier: GPL-2.0
// A slice of a page, kept beyond the transfer to a process.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

fn case(cx: &Task, area: NewArea<'_>, page: ExclusivePage<Bytes>) {
    let slice = &page[..16];
    #[cfg(not(misuse))]
    let byte = slice[0];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `page` because it is borrowed
    let mapped = UserPage::map(cx, area, page, Drawer);
    #[cfg(misuse)]
    let byte = slice[0];
}
