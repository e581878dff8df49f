// SPDX-License-Identifier: GPL-2.0
// Contents for which not every byte is valid, or that need more space than a page has.

#[cfg(not(misuse))]
fn case(page: ExclusivePage<Bytes>) {}
#[cfg(misuse)]
// error[E0277]: Contents` is not satisfied
fn case(page: ExclusivePage<[bool; 8192]>) {}
