// SPDX-License-Identifier: GPL-2.0
// Using a page after it was given to its readers.

fn case(page: ExclusivePage<Bytes>, cx: &Task) -> u8 {
    let shared = Shared::new(cx, GfpKernel, page);
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `page`
    let _first = page[0];
    shared.map_or(0, |reader| reader[0])
}
