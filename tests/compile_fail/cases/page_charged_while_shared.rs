// SPDX-License-Identifier: GPL-2.0
// Charging a page that others may be charging at the same time.

fn case(page: &mut ExclusivePage<Bytes>, caller: CallSite) {
    #[cfg(misuse)]
    let page = &*page;
    // error[E0596]: cannot borrow `*page` as mutable
    page.charge(caller);
}
