// SPDX-License-Identifier: GPL-2.0

//! The directions of DMA: [`Direction`].

use kernel::dma::DataDirection;

mod sealed {
    #[allow(unnameable_types, reason = "sealed")]
    pub trait Sealed {}
}

/// The direction of a transfer.
pub trait Direction: sealed::Sealed + Send + Sync + 'static {
    /// The direction as the kernel names it.
    const RAW: DataDirection;
}

/// A direction in which the device reads, so that the CPU may write.
#[diagnostic::on_unimplemented(
    message = "the device never reads a page that is mapped `{Self}`",
    label = "what the CPU writes here would be lost"
)]
pub trait DeviceReads: Direction {}

/// The device reads, the CPU writes.
#[derive(Clone, Copy)]
pub struct ToDevice;

/// The device writes, the CPU reads.
#[derive(Clone, Copy)]
pub struct FromDevice;

/// The device and the CPU both read and write, in turns.
#[derive(Clone, Copy)]
pub struct Bidirectional;

impl sealed::Sealed for ToDevice {}
impl sealed::Sealed for FromDevice {}
impl sealed::Sealed for Bidirectional {}

impl Direction for ToDevice {
    const RAW: DataDirection = DataDirection::ToDevice;
}
impl Direction for FromDevice {
    const RAW: DataDirection = DataDirection::FromDevice;
}
impl Direction for Bidirectional {
    const RAW: DataDirection = DataDirection::Bidirectional;
}

impl DeviceReads for ToDevice {}
impl DeviceReads for Bidirectional {}
