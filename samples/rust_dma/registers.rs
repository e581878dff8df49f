// SPDX-License-Identifier: GPL-2.0

//! The registers of QEMU's `edu` device. `docs/specs/edu.rst` in QEMU's source describes them.

use kernel::{
    device::Bound,
    dma::DmaAddress,
    io::Io,
    pci,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use labyrinth::context::MaySleep;

const IDENTITY: usize = 0x00;
const IRQ_STATUS: usize = 0x24;
const IRQ_ACKNOWLEDGE: usize = 0x64;
const DMA_SOURCE: usize = 0x80;
const DMA_DESTINATION: usize = 0x88;
const DMA_COUNT: usize = 0x90;
const DMA_COMMAND: usize = 0x98;
const END: usize = 0xa0;

const RUN: u32 = 1;
const TO_MEMORY: u32 = 2;
const INTERRUPT: u32 = 4;

/// The address of the device's buffer, as the device sees it.
const BUFFER: u32 = 0x4_0000;

/// The size of that buffer in bytes.
pub(crate) const BUFFER_BYTES: usize = 4096;

/// The maximum number of bits in an address for [`Registers::start`].
pub(crate) const MAX_BITS: u32 = 32;

/// A transfer takes 100 ms.
const NAP: Delta = Delta::from_millis(5);
const NAPS: usize = 1000;

/// The direction of a transfer.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// From memory to the device.
    Out,
    /// From the device to memory.
    In,
}

/// The registers of one device.
pub(crate) struct Registers<'bound>(pci::Bar<'bound, END>);

impl<'bound> Registers<'bound> {
    /// Maps the registers. Fails with `ENODEV` if the device is another one of its class.
    pub(crate) fn new(device: &'bound pci::Device<Bound>) -> Result<Self> {
        if (device.vendor_id().as_raw(), device.device_id()) != (0x1234, 0x11e8) {
            return Err(ENODEV);
        }
        let registers = Self(device.iomap_region_sized::<END>(0, c"rust_dma")?);
        if registers.0.read32(IDENTITY) & 0xff != 0xed {
            return Err(ENODEV);
        }
        Ok(registers)
    }

    /// Starts a transfer of the whole buffer.
    pub(crate) fn start(&self, way: Way, address: DmaAddress, interrupt: bool) {
        // CAST: The device's DMA mask allows no higher address.
        let address = address as u32;
        let (source, destination, command) = match way {
            Way::Out => (address, BUFFER, RUN),
            Way::In => (BUFFER, address, RUN | TO_MEMORY),
        };
        self.0.write32(source, DMA_SOURCE);
        self.0.write32(destination, DMA_DESTINATION);
        self.0.write32(BUFFER_BYTES as u32, DMA_COUNT);
        self.0
            .write32(command | if interrupt { INTERRUPT } else { 0 }, DMA_COMMAND);
    }

    /// Waits for the end of the current transfer, if there is one. Fails with `ETIMEDOUT` after
    /// 5 s.
    pub(crate) fn wait<C: MaySleep>(&self, _cx: &mut C) -> Result {
        for _ in 0..NAPS {
            if self.0.read32(DMA_COMMAND) & RUN == 0 {
                return Ok(());
            }
            fsleep(NAP);
        }
        Err(ETIMEDOUT)
    }

    /// Returns whether the device has raised its interrupt.
    pub(crate) fn interrupted(&self) -> bool {
        self.0.read32(IRQ_STATUS) != 0
    }

    /// Acknowledges the interrupt.
    pub(crate) fn acknowledge(&self) {
        self.0.write32(self.0.read32(IRQ_STATUS), IRQ_ACKNOWLEDGE);
    }
}
