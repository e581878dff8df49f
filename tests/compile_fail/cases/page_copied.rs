// SPDX-License-Identifier: GPL-2.0
// A second owner of a page, by copying.

fn case(page: &ExclusivePage<Bytes>) {
    #[cfg(not(misuse))]
    let second = page;
    #[cfg(misuse)]
    // error[E0507]: cannot move out of `*page` which is behind a shared reference
    let second = *page;
}
