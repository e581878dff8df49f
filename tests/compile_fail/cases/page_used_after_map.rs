// SPDX-License-Identifier: GPL-2.0
// Writing to a page that was given to a device.

fn case(cx: &Task, device: DmaDevice<'_>, mut page: ExclusivePage<Bytes>) {
    page.fill(1);
    let mapped = map(cx, device, ToDevice, page);
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `page`
    page.fill(2);
}
