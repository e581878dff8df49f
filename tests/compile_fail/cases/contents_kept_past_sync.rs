// SPDX-License-Identifier: GPL-2.0
// Keeping a slice of a page that the device has again.

fn case(mut mapped: Mapped<'_, FromDevice>) -> u8 {
    let contents = mapped.sync_for_cpu();
    let line = &contents[0][..64];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `contents` because it is borrowed
    drop(contents);
    line[0]
}
