// SPDX-License-Identifier: GPL-2.0
// Keeping a slice of the payload after the guards were removed.

fn case(page: Guarded) -> u8 {
    let line = &page[..64];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `page` because it is borrowed
    let pages = page.open();
    line[0]
}
