// SPDX-License-Identifier: GPL-2.0
// Taking out the `struct page` of a page, which could then be freed by hand.

fn case(page: ExclusivePage<Bytes>) {
    #[cfg(not(misuse))]
    let raw = page.into_raw();
    #[cfg(misuse)]
    // error[E0624]: method `into_page` is private
    let raw = page.into_page();
}
