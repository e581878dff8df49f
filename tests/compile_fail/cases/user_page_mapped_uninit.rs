// SPDX-License-Identifier: GPL-2.0
// Showing a process what the last owner of a page has left in it.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

fn case(cx: &Task, area: NewArea<'_>, page: ExclusivePage<Uninit>) {
    #[cfg(not(misuse))]
    let page = page.zeroed();
    #[cfg(misuse)]
    let page = page;
    // error[E0308]: mismatched types
    let mapped = UserPage::map(cx, area, page, Drawer);
}
