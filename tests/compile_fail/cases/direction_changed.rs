// SPDX-License-Identifier: GPL-2.0
// Making a device write to a page that it may only read.

fn case(cx: &Task, device: DmaDevice<'_>, page: ExclusivePage<Bytes>) {
    #[cfg(not(misuse))]
    let mapped: Option<Mapped<'_, ToDevice>> = map(cx, device, ToDevice, page).ok();
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    let mapped: Option<Mapped<'_, FromDevice>> = map(cx, device, ToDevice, page).ok();
}
