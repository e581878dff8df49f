// SPDX-License-Identifier: GPL-2.0
// A slice of a page that is freed on return.

#[cfg(not(misuse))]
fn case(page: &ExclusivePage<Bytes>) -> &[u8] {
    &page[..64]
}

#[cfg(misuse)]
fn case<'a>(page: ExclusivePage<Bytes>) -> &'a [u8] {
    // error[E0515]: cannot return value referencing function parameter `page`
    &page[..64]
}
