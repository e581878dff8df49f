// SPDX-License-Identifier: GPL-2.0
// Writing to a page that is not borrowed mutably.

#[cfg(not(misuse))]
type Borrowed<'a> = &'a mut ExclusivePage<Bytes>;
#[cfg(misuse)]
type Borrowed<'a> = &'a ExclusivePage<Bytes>;

fn case(page: Borrowed<'_>) {
    // error[E0596]: cannot borrow `*page` as mutable, as it is behind a `&` reference
    page[0] = 1;
}
