// SPDX-License-Identifier: GPL-2.0
// A reader that goes on after it has given up its handle for the page.

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
