// SPDX-License-Identifier: GPL-2.0

//! [`Mapped`].

use super::direction::{
    DeviceReads,
    Direction, //
};
use crate::{
    ffi::{
        context::PlainAlloc,
        dma::DmaDevice, //
    },
    page::{
        Bytes,
        ExclusivePages, //
    },
    stats::Handover, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::NonNull, //
};
use kernel::{
    dma::DmaAddress,
    page::PAGE_SIZE,
    prelude::*, //
};

/// 2^order pages that a device owns.
///
/// The CPU has no access to their contents. Dropping it takes them from the device and frees them.
///
/// Contexts: every method, and dropping, where a `spinlock_t` can be taken, that is where
/// [`ExclusivePages`] can be dropped.
///
/// # Examples
///
/// ```ignore
/// let mut page = ExclusivePage::alloc(cx, Atomic)?.zeroed();
/// page.fill(0x42);
/// let mapped = map(cx, device, ToDevice, page)?;
/// registers.write64(mapped.address(), SOURCE);
/// // … once the device has interrupted us …
/// let pages = mapped.unmap();
/// ```
///
/// # Invariants
///
/// `address` is where `pages` are mapped, all of them and once, for `device` and in the direction `D`.
/// No reference to the contents exists but those that a [`CpuAccess`] has lent.
pub struct Mapped<'d, D: Direction> {
    pages: ExclusivePages<Bytes>,
    device: DmaDevice<'d>,
    address: DmaAddress,
    _direction: PhantomData<D>,
}

/// Pages that a device could not be given: it cannot address them, or there is no room for another
/// mapping.
pub struct NotMapped(ExclusivePages<Bytes>);

impl NotMapped {
    /// The pages, as they were.
    pub fn into_pages(self) -> ExclusivePages<Bytes> {
        self.0
    }
}

impl From<NotMapped> for Error {
    /// `ENOMEM`, and the pages are freed.
    fn from(_: NotMapped) -> Self {
        ENOMEM
    }
}

/// Gives pages to a device. `cx` proves the context, one in which a `spinlock_t` can be taken.
pub fn map<'d, C: PlainAlloc, D: Direction>(
    _cx: &C,
    device: DmaDevice<'d>,
    _direction: D,
    pages: impl Into<ExclusivePages<Bytes>>,
) -> Result<Mapped<'d, D>, NotMapped> {
    let pages = pages.into();
    let bytes = PAGE_SIZE << pages.order();
    // SAFETY: The address of a page.
    let page = unsafe { NonNull::new_unchecked(pages.page()) };

    let begun = Handover::MapDevice.begin();
    // SAFETY: Allocated pages in the linear mapping that are ours alone; they stay in the value below,
    // which unmaps them before it frees them or lets them go. Who borrowed their contents has stopped,
    // as we have them by value.
    let address = unsafe { device.map(page, bytes, D::RAW) };
    begun.done(address.is_some());
    match address {
        // INVARIANT: Just mapped, whole, for this device and in this direction.
        Some(address) => Ok(Mapped {
            pages,
            device,
            address,
            _direction: PhantomData,
        }),
        None => Err(NotMapped(pages)),
    }
}

/// Gives pages to a device until there are none left, or one cannot be mapped, and those that were to
/// `sink`.
///
/// On a failure `sink` keeps what it got, the error has the pages that failed, and the iterator those
/// that were not tried. Context as for [`map`].
pub fn map_each<'d, C: PlainAlloc, D: Direction + Copy>(
    cx: &C,
    device: DmaDevice<'d>,
    direction: D,
    pages: &mut impl Iterator<Item = ExclusivePages<Bytes>>,
    mut sink: impl FnMut(Mapped<'d, D>),
) -> Result<(), NotMapped> {
    for pages in pages {
        sink(map(cx, device, direction, pages)?);
    }
    Ok(())
}

impl<'d, D: Direction> Mapped<'d, D> {
    /// Where the device finds the pages.
    pub fn address(&self) -> DmaAddress {
        self.address
    }

    /// The number of bytes.
    pub fn bytes(&self) -> usize {
        PAGE_SIZE << self.pages.order()
    }

    /// Whether one of the pages has gone bad.
    pub(super) fn is_bad(&self) -> bool {
        self.pages.is_bad()
    }

    /// Whose they are.
    pub(super) fn device(&self) -> DmaDevice<'d> {
        self.device
    }

    /// Lends the contents to the CPU, while the device does not use the pages. When the access ends, the
    /// device sees what was written.
    pub fn sync_for_cpu(&mut self) -> CpuAccess<'_, 'd, D> {
        let begun = Handover::SyncCpu.begin();
        // SAFETY: Mapped so, by the invariant.
        unsafe { self.device.sync_for_cpu(self.address, self.bytes(), D::RAW) };
        begun.done(true);
        CpuAccess(self)
    }

    /// Takes the pages back from the device, which must not use them any more.
    pub fn unmap(self) -> ExclusivePages<Bytes> {
        let mut this = ManuallyDrop::new(self);

        this.end();
        // SAFETY: `this` is not used any more, nor dropped. The device has left any bytes there, and
        // they are valid.
        unsafe { core::ptr::read(&this.pages) }
    }

    /// Unmaps; afterwards nothing but `pages` may be used.
    fn end(&mut self) {
        let begun = Handover::UnmapDevice.begin();
        // SAFETY: Mapped so, by the invariant, and ended once: by `drop`, or by `unmap`, which drops
        // nothing.
        unsafe { self.device.unmap(self.address, self.bytes(), D::RAW) };
        begun.done(true);
    }
}

impl<D: Direction> Drop for Mapped<'_, D> {
    /// The pages are freed after this, when the device cannot reach them any more.
    fn drop(&mut self) {
        self.end();
    }
}

/// Pages of a device, lent to the CPU.
///
/// What a device was to read, too, can be written; a page that it only writes to can be read. One that is
/// mapped `ToDevice` reads as the CPU itself left it.
///
/// Leaking it (`mem::forget`) keeps from the device what was written, and harms nobody else.
pub struct CpuAccess<'m, 'd, D: Direction>(&'m mut Mapped<'d, D>);

impl<D: Direction> Deref for CpuAccess<'_, '_, D> {
    type Target = [Bytes];

    fn deref(&self) -> &[Bytes] {
        &self.0.pages
    }
}

impl<D: DeviceReads> DerefMut for CpuAccess<'_, '_, D> {
    fn deref_mut(&mut self) -> &mut [Bytes] {
        &mut self.0.pages
    }
}

impl<D: Direction> Drop for CpuAccess<'_, '_, D> {
    fn drop(&mut self) {
        let mapped = &*self.0;
        let begun = Handover::SyncDevice.begin();
        // SAFETY: Mapped so, by the invariant.
        unsafe {
            mapped
                .device
                .sync_for_device(mapped.address, mapped.bytes(), D::RAW)
        };
        begun.done(true);
    }
}
