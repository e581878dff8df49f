// SPDX-License-Identifier: GPL-2.0
// A page that is part of a view, used by itself.

fn case(pages: KVec<ExclusivePage<Bytes>>, cx: &Task) -> bool {
    let first = pages[0].pfn();
    let view = VmappedPages::map(cx, pages);
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `pages`
    let first = pages[0].pfn();
    view.is_ok_and(|view| view[0] == first as u8)
}
