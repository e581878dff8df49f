// SPDX-License-Identifier: GPL-2.0
// Reading contiguous pages with contents of an earlier owner.

fn case(pages: ContiguousPages<Uninit>) -> u8 {
    #[cfg(not(misuse))]
    let pages = pages.zeroed();
    // error[E0608]: cannot index into a value of type
    pages[0][0]
}
