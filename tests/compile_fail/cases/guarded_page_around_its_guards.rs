// SPDX-License-Identifier: GPL-2.0
// Getting at all of a page whose guards are there for a reason.

fn case(page: &mut Guarded) {
    #[cfg(not(misuse))]
    let bytes: &mut [u8] = page;
    #[cfg(misuse)]
    // error[E0616]: is private
    let bytes: &mut [u8] = page.pages.as_flattened_mut();
    bytes.fill(0);
}
