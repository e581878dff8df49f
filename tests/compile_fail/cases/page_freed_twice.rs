// SPDX-License-Identifier: GPL-2.0
// Freeing a page twice.

fn case(page: ExclusivePage<Bytes>) {
    drop(page);
    #[cfg(misuse)]
    // error[E0382]: use of moved value: `page`
    drop(page);
}
