// SPDX-License-Identifier: GPL-2.0
// Giving a device a page with contents of an earlier owner.

fn case(cx: &Task, device: DmaDevice<'_>, page: ExclusivePage<Uninit>) {
    #[cfg(not(misuse))]
    let mapped = map(cx, device, ToDevice, page.zeroed());
    #[cfg(misuse)]
    // error[E0277]: is not satisfied
    let mapped = map(cx, device, ToDevice, page);
}
