// SPDX-License-Identifier: GPL-2.0
// A slice of a page that was freed.

fn case(page: ExclusivePage<Bytes>) -> u8 {
    let line = &page[..64];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `page` because it is borrowed
    drop(page);
    line[0]
}
