// SPDX-License-Identifier: GPL-2.0
// One page for two mappings.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

fn case(cx: &Task, one: NewArea<'_>, two: NewArea<'_>, page: ExclusivePage<Bytes>) {
    let mapped = UserPage::map(cx, one, page, Drawer);
    #[cfg(misuse)]
    // error[E0382]: use of moved value: `page`
    let mapped = UserPage::map(cx, two, page, Drawer);
}
