// SPDX-License-Identifier: GPL-2.0

//! Devices for which pages can be mapped, and the mapping itself.
//!
//! [`crate::page::transfer::dma`] has the safe interface.
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

/// A device that is bound to a driver, for as long as it is bound.
///
/// `'d` keeps a mapping from outliving the driver. The kernel crate hands out a `&'d Device<Bound>`
/// only for a time in which the driver is bound, and drops everything that borrows it before that
/// time is over. A bound device is alive, so there is no reference to count.
#[derive(Clone, Copy)]
pub struct DmaDevice<'d>(&'d Device<Bound>);

impl<'d> DmaDevice<'d> {
    /// Makes the value from a device of a driver. Any context.
    pub fn new(device: &'d Device<Bound>) -> Self {
        Self(device)
    }

    /// Returns whether both are the same device. Any context.
    pub(crate) fn is(self, other: DmaDevice<'_>) -> bool {
        self.as_raw() == other.as_raw()
    }

    fn as_raw(self) -> *mut bindings::device {
        // CAST: A `Device` is a transparent wrapper of a `struct device`.
        core::ptr::from_ref(self.0).cast_mut().cast()
    }

    /// Maps pages, or returns `None`. Any context in which a `spinlock_t` can be taken.
    ///
    /// # Safety
    ///
    /// `page` must be the first of allocated pages in the linear mapping, with `bytes` bytes in
    /// total. Until they are unmapped, the pages must stay allocated, and no reference may point to
    /// them.
    pub(crate) unsafe fn map(
        self,
        page: NonNull<bindings::page>,
        bytes: usize,
        direction: DataDirection,
    ) -> Option<DmaAddress> {
        let mut address = 0;

        // SAFETY: The device is bound. The caller vouches for the pages. `address` can be written.
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
    /// `address` must come from [`Self::map`] of this device with otherwise the same arguments, and
    /// must not have been unmapped.
    pub(crate) unsafe fn unmap(self, address: DmaAddress, bytes: usize, direction: DataDirection) {
        // SAFETY: By the requirement this is a mapping of this device, which is still bound.
        unsafe {
            helpers::labyrinth_dma_unmap(self.as_raw(), address, bytes, direction as u32);
        }
    }

    /// Makes the data that the device has written visible to the CPU. Contexts as for
    /// [`Self::map`].
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
        // SAFETY: By the requirement this is a mapping of this device, which is still bound.
        unsafe {
            helpers::labyrinth_dma_sync_for_cpu(self.as_raw(), address, bytes, direction as u32);
        }
    }

    /// Makes the data that the CPU has written visible to the device. Contexts as for
    /// [`Self::map`].
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
        // SAFETY: By the requirement this is a mapping of this device, which is still bound.
        unsafe {
            helpers::labyrinth_dma_sync_for_device(self.as_raw(), address, bytes, direction as u32);
        }
    }
}
