// SPDX-License-Identifier: GPL-2.0
// Keeping the lent contents of a page that is taken back.

fn case(mut mapped: Mapped<'_, FromDevice>) -> u8 {
    let contents = mapped.sync_for_cpu();
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `mapped` because it is borrowed
    let pages = mapped.unmap();
    contents[0][0]
}
