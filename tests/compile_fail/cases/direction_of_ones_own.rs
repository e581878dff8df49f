// SPDX-License-Identifier: GPL-2.0
// A direction of transfers of one's own, which says what it likes about who writes.

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
