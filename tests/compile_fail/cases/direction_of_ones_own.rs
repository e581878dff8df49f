// SPDX-License-Identifier: GPL-2.0
// A driver's own direction of DMA, which could be wrong about what the device does.

struct Mine;

#[cfg(not(misuse))]
impl Mine {
    const RAW: kernel::dma::DataDirection = kernel::dma::DataDirection::FromDevice;
}
#[cfg(misuse)]
// error[E0277]: Sealed` is not satisfied
impl Direction for Mine {
    const RAW: kernel::dma::DataDirection = kernel::dma::DataDirection::FromDevice;
}
