// SPDX-License-Identifier: GPL-2.0
// Telling the device the address of a page that was taken back.

fn case(mapped: Mapped<'_, ToDevice>) -> u64 {
    let address = mapped.address();
    let pages = mapped.unmap();
    #[cfg(misuse)]
    // error[E0382]: borrow of moved value: `mapped`
    let address = mapped.address();
    address
}
