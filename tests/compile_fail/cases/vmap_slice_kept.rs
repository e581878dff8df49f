// SPDX-License-Identifier: GPL-2.0
// A slice of a view, kept when the view is unmapped.

fn case(view: VmappedPages, cx: &Task) -> u8 {
    let bytes = &view[4000..5000];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `view` because it is borrowed
    let _pages = view.unmap(cx);
    bytes[0]
}
