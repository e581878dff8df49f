// SPDX-License-Identifier: GPL-2.0
// Removing pages from the line that they are charged to. Only pools may do that.

fn case(pages: &mut ExclusivePages<Uninit>) {
    #[cfg(misuse)]
    // error[E0624]: method `uncharge` is private
    pages.uncharge();
}
