// SPDX-License-Identifier: GPL-2.0
// Giving a page to a device twice.

fn case(cx: &Task, device: DmaDevice<'_>, page: ExclusivePage<Bytes>) {
    let mapped = map(cx, device, ToDevice, page);
    #[cfg(misuse)]
    // error[E0382]: use of moved value: `page`
    let twice = map(cx, device, FromDevice, page);
}
