// SPDX-License-Identifier: GPL-2.0
// Taking pages off their line while others may do the same.

fn case(pages: &mut ExclusivePages<Uninit>) {
    #[cfg(misuse)]
    let pages = &*pages;
    // error[E0596]: cannot borrow `*pages` as mutable
    pages.uncharge();
}
