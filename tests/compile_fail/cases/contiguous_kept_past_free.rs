// SPDX-License-Identifier: GPL-2.0
// Contents of contiguous pages that were freed.

fn case(pages: ContiguousPages<Bytes>) -> u8 {
    let last = &pages[pages.len() - 1];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `pages` because it is borrowed
    drop(pages);
    last[0]
}
