// SPDX-License-Identifier: GPL-2.0
// Keeping a slice of a reader that was given up to take the page back.

fn case(reader: Shared<ExclusivePage<Bytes>>) {
    #[cfg(misuse)]
    let line = &reader[..64];
    // error[E0505]: cannot move out of `reader` because it is borrowed
    if let Ok(mut page) = reader.take_back() {
        page[0] = 1;
        #[cfg(misuse)]
        drop(line[0]);
    }
}
