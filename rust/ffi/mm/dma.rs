// SPDX-License-Identifier: GPL-2.0

//! Devices that pages can be mapped for, and the mapping itself.
//!
//! What is safe about it is in [`crate::page::transfer::dma`].
//!
//! C header: [`include/linux/dma-mapping.h`](srctree/include/linux/dma-mapping.h)

use crate::ffi::helpers;
use core::ptr::NonNull;
use kernel::{
    bindings,
    device::{
        Bound,
        Device, //
    },
    dma::{
        DataDirection,
        DmaAddress, //
    }, //
};

/// A device with a driver, for as long as that is bound to it.
///
/// `'d` is what keeps a mapping from outliving the driver. The kernel crate hands out a
/// `&'d Device<Bound>` only for a time in which the driver is bound, and drops what borrows it
/// before that time is over. A bound device is alive, so there is no reference to count.
#[derive(Clone, Copy)]
pub struct DmaDevice<'d>(&'d Device<Bound>);

impl<'d> DmaDevice<'d> {
    /// The device of a driver. Any context.
    pub fn new(device: &'d Device<Bound>) -> Self {
        Self(device)
    }

    /// Whether both are the same device. Any context.
    pub(crate) fn is(self, other: DmaDevice<'_>) -> bool {
        self.as_raw() == other.as_raw()
    }

    fn as_raw(self) -> *mut bindings::device {
        // CAST: A `Device` is a transparent wrapper of a `struct device`.
        core::ptr::from_ref(self.0).cast_mut().cast()
    }

    /// Maps pages, or returns `None`. Whatever context a `spinlock_t` can be taken in.
    ///
    /// # Safety
    ///
    /// `page` must be the first of allocated pages in the linear mapping, of `bytes` altogether,
    /// that stay allocated and that no reference points to, until they are unmapped.
    pub(crate) unsafe fn map(
        self,
        page: NonNull<bindings::page>,
        bytes: usize,
        direction: DataDirection,
    ) -> Option<DmaAddress> {
        let mut address = 0;

        // SAFETY: The device is bound. The pages are as the caller says, `address` can be written.
        unsafe {
            helpers::labyrinth_dma_map(
                self.as_raw(),
                page.as_ptr(),
                bytes,
                direction as u32,
                &mut address,
            )
        }
        .then_some(address)
    }

    /// Takes pages from the device. Contexts as for [`Self::map`].
    ///
    /// # Safety
    ///
    /// `address` must come from [`Self::map`] of this device with the same other arguments, and not
    /// have been unmapped.
    pub(crate) unsafe fn unmap(self, address: DmaAddress, bytes: usize, direction: DataDirection) {
        // SAFETY: A mapping of this device, which is still bound.
        unsafe {
            helpers::labyrinth_dma_unmap(self.as_raw(), address, bytes, direction as u32);
        }
    }

    /// Shows the CPU what the device wrote. Contexts as for [`Self::map`].
    ///
    /// # Safety
    ///
    /// As for [`Self::unmap`].
    pub(crate) unsafe fn sync_for_cpu(
        self,
        address: DmaAddress,
        bytes: usize,
        direction: DataDirection,
    ) {
        // SAFETY: A mapping of this device, which is still bound.
        unsafe {
            helpers::labyrinth_dma_sync_for_cpu(self.as_raw(), address, bytes, direction as u32);
        }
    }

    /// Shows the device what the CPU wrote. Contexts as for [`Self::map`].
    ///
    /// # Safety
    ///
    /// As for [`Self::unmap`].
    pub(crate) unsafe fn sync_for_device(
        self,
        address: DmaAddress,
        bytes: usize,
        direction: DataDirection,
    ) {
        // SAFETY: A mapping of this device, which is still bound.
        unsafe {
            helpers::labyrinth_dma_sync_for_device(self.as_raw(), address, bytes, direction as u32);
        }
    }
}
