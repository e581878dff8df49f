// SPDX-License-Identifier: GPL-2.0
// Taking a page from an address without vouching for it.

fn case(page: ExclusivePage<Bytes>) {
    let raw = page.into_raw();
    #[cfg(not(misuse))]
    let page = unsafe { ExclusivePage::from_raw(raw) };
    #[cfg(misuse)]
    // error[E0133]: call to unsafe function
    let page = ExclusivePage::from_raw(raw);
}
