// SPDX-License-Identifier: GPL-2.0
// Accessing all of a guarded page, with its guards.

fn case(page: &mut Guarded) {
    #[cfg(not(misuse))]
    let bytes: &mut [u8] = page;
    #[cfg(misuse)]
    // error[E0616]: is private
    let bytes: &mut [u8] = page.pages.as_flattened_mut();
    bytes.fill(0);
}
