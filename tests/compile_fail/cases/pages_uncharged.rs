// SPDX-License-Identifier: GPL-2.0
// Taking pages off the line that they are charged to, which is for pools.

fn case(pages: &mut ExclusivePages<Uninit>) {
    #[cfg(misuse)]
    // error[E0624]: method `uncharge` is private
    pages.uncharge();
}
