// SPDX-License-Identifier: GPL-2.0
// Reading a page that was given away.

fn case(page: ExclusivePage<Bytes>) {
    let raw = page.into_raw();
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `page`
    let byte = page[0];
}
