// SPDX-License-Identifier: GPL-2.0
// Taking a page back from a device twice.

fn case(mapped: Mapped<'_, ToDevice>) {
    let pages = mapped.unmap();
    #[cfg(misuse)]
    // error[E0382]: use of moved value: `mapped`
    let twice = mapped.unmap();
}
