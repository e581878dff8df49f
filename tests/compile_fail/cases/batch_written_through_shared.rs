// SPDX-License-Identifier: GPL-2.0
// Writing to the pages of a batch that others read.

fn case(batch: &mut Batch<GfpAtomic>) {
    #[cfg(not(misuse))]
    let pages = batch.pages_mut();
    #[cfg(misuse)]
    let pages = batch.pages();

    // error[E0596]: cannot borrow `pages[_]` as mutable, as it is behind a `&` reference
    pages[0][0] = 1;
}
