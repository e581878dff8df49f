// SPDX-License-Identifier: GPL-2.0
// Giving a page to a process in a softirq.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

#[cfg(not(misuse))]
fn case(cx: &Task, area: NewArea<'_>, page: ExclusivePage<Bytes>) {
    let mapped = UserPage::map(cx, area, page, Drawer);
}

#[cfg(misuse)]
fn case(cx: &Softirq, area: NewArea<'_>, page: ExclusivePage<Bytes>) {
    // error[E0277]: is atomic context, which may not sleep
    let mapped = UserPage::map(cx, area, page, Drawer);
}
