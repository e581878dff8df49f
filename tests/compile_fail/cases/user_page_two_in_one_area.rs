// SPDX-License-Identifier: GPL-2.0
// Two pages for one mapping.

struct Drawer;

impl Home for Drawer {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

fn case(cx: &Task, area: NewArea<'_>, one: ExclusivePage<Bytes>, two: ExclusivePage<Bytes>) {
    let mapped = UserPage::map(cx, area, one, Drawer);
    #[cfg(misuse)]
    // error[E0382]: use of moved value: `area`
    let mapped = UserPage::map(cx, area, two, Drawer);
}
