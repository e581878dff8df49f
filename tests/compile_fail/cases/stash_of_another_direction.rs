// SPDX-License-Identifier: GPL-2.0
// Keeping a page that the device may only read among those that it writes.

fn case<'d>(
    stash: &mut Stash<'d, FromDevice>,
    mine: Mapped<'d, FromDevice>,
    other: Mapped<'d, ToDevice>,
) {
    let _ = stash.give_back(mine);
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    let _ = stash.give_back(other);
}
