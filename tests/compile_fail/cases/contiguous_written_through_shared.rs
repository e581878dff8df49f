// SPDX-License-Identifier: GPL-2.0
// Writing to contiguous pages that are not borrowed mutably.

#[cfg(not(misuse))]
type Borrowed<'a> = &'a mut ContiguousPages<Bytes>;
#[cfg(misuse)]
type Borrowed<'a> = &'a ContiguousPages<Bytes>;

fn case(pages: Borrowed<'_>) {
    // error[E0596]: cannot borrow `*pages` as mutable, as it is behind a `&` reference
    pages[0][0] = 1;
}
