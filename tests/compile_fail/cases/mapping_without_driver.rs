// SPDX-License-Identifier: GPL-2.0
// Giving a page to a device that may have no driver.

fn case(bound: &Device<Bound>, device: &Device) {
    let dma = DmaDevice::new(bound);
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    let dma = DmaDevice::new(device);
}
