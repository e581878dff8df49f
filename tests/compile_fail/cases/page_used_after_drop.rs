// SPDX-License-Identifier: GPL-2.0
// Writing to a page that was freed.

fn case(mut page: ExclusivePage<Bytes>) {
    page.fill(1);
    drop(page);
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `page`
    page.fill(2);
}
