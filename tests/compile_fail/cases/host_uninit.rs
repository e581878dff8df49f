// SPDX-License-Identifier: GPL-2.0
// Sharing a page with contents of an earlier owner.

#[cfg(not(misuse))]
type Contents = Bytes;
#[cfg(misuse)]
type Contents = Uninit;

fn case(cx: &Task, page: ExclusivePage<Contents>) -> bool {
    // error[E0277]: is not satisfied
    HostPages::share(cx, page).is_ok()
}
