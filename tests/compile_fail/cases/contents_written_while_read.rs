// SPDX-License-Identifier: GPL-2.0
// Writing to a page that a shared reference reads.

fn case(mut page: ExclusivePage<Bytes>) -> u8 {
    let reader: &Bytes = &page;
    #[cfg(misuse)]
    // error[E0502]: cannot borrow `page` as mutable because it is also borrowed as immutable
    page.fill(1);
    reader[0]
}
