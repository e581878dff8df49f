// SPDX-License-Identifier: GPL-2.0
// A secret in an uninitialised page, whose contents must not be read.

#[cfg(not(misuse))]
type Contents = Bytes;
#[cfg(misuse)]
type Contents = Uninit;

fn case(page: ExclusivePage<Contents>) {
    // error[E0277]: Scrub` is not satisfied
    drop(Secret::new(page));
}
