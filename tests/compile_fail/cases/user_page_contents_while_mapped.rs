// SPDX-License-Identifier: GPL-2.0
// The contents of a page while a process has it.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

fn case(cx: &Task, area: NewArea<'_>, mut page: ExclusivePage<Bytes>) {
    page[0] = 1;
    let mapped = UserPage::map(cx, area, page, Drawer);
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `page`
    let byte = page[0];
}
