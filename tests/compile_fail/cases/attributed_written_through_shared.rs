// SPDX-License-Identifier: GPL-2.0
// Writing to pages with a cache attribute that are not borrowed mutably.

#[cfg(not(misuse))]
type Borrowed<'a> = &'a mut AttributedPages<Uncached>;
#[cfg(misuse)]
type Borrowed<'a> = &'a AttributedPages<Uncached>;

fn case(block: Borrowed<'_>) {
    // error[E0596]: cannot borrow `*block` as mutable, as it is behind a `&` reference
    block.write(|pages| pages[0].fill(1));
}
