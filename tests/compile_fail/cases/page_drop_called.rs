// SPDX-License-Identifier: GPL-2.0
// Freeing a page by calling its destructor, which then runs a second time.

fn case(mut page: ExclusivePage<Bytes>) {
    #[cfg(not(misuse))]
    drop(page);
    #[cfg(misuse)]
    // error[E0040]: explicit use of destructor method
    Drop::drop(&mut page);
}
