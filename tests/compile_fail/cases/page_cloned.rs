// SPDX-License-Identifier: GPL-2.0
// A second owner of a page, by cloning.

fn case(page: ExclusivePage<Bytes>) {
    #[cfg(not(misuse))]
    let second = Bytes::clone(&page);
    #[cfg(misuse)]
    // error[E0277]: Clone` is not satisfied
    let second = ExclusivePage::<Bytes>::clone(&page);
}
