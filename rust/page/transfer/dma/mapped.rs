// SPDX-License-Identifier: GPL-2.0

//! Pages that are mapped for a device: [`Mapped`].

use super::direction::{
    DeviceReads,
    Direction, //
};
use crate::{
    ffi::{
        context::PlainAlloc,
        mm::dma::DmaDevice, //
    },
    page::transfer::Transfer,
    page::{
        Bytes,
        ExclusivePages, //
    }, //
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
/// The CPU has no access to their contents. Dropping the value unmaps and frees the pages.
///
/// Contexts: every method, and dropping, is allowed where a `spinlock_t` can be taken and
/// [`ExclusivePages`] can be dropped.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::{context::Softirq, dma::{map, DmaDevice, ToDevice}, GfpAtomic, ExclusivePage};
/// # fn example(cx: &Softirq, device: DmaDevice<'_>, tell: impl Fn(u64)) -> Result {
/// let mut page = ExclusivePage::alloc(cx, GfpAtomic)?.zeroed();
/// page.fill(0x42);
/// let mapped = map(cx, device, ToDevice, page).map_err(|_refused| EIO)?;
/// tell(mapped.address());
/// // … once the device has interrupted us …
/// let pages = mapped.unmap();
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// All `pages` are mapped once, at `address`, for `device` and in the direction `D`. Only a
/// [`CpuAccess`] has references to the contents.
pub struct Mapped<'d, D: Direction> {
    pages: ExclusivePages<Bytes>,
    device: DmaDevice<'d>,
    address: DmaAddress,
    _direction: PhantomData<D>,
}

/// Pages that could not be mapped: the device cannot address them, or there is no space for another
/// mapping.
pub struct NotMapped(ExclusivePages<Bytes>);

impl NotMapped {
    /// Returns the unchanged pages. Any context.
    pub fn into_pages(self) -> ExclusivePages<Bytes> {
        self.0
    }
}

impl From<NotMapped> for Error {
    /// Frees the pages, and returns `ENOMEM`.
    fn from(_: NotMapped) -> Self {
        ENOMEM
    }
}

/// Gives pages to a device. `cx` proves that a `spinlock_t` can be taken. On failure, the error has
/// the pages.
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

    let begun = Transfer::MapDevice.begin();
    // SAFETY: Allocated pages in the linear mapping that are ours alone. They stay in the value
    // below, which unmaps them before it frees them or gives them up. All borrows of their contents
    // have ended, as we have the pages by value.
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

/// Gives pages to a device until none are left or one cannot be mapped, and passes the mapped ones
/// to `sink`.
///
/// If pages cannot be mapped, the error has those pages, `sink` keeps the pages that it got, and
/// the iterator still has the pages that were not tried. Context as for [`map`].
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
    /// Returns the address of the pages for the device.
    pub fn address(&self) -> DmaAddress {
        self.address
    }

    /// Returns the number of bytes.
    pub fn bytes(&self) -> usize {
        PAGE_SIZE << self.pages.order()
    }

    /// Returns whether one of the pages has gone bad.
    pub(super) fn is_bad(&self) -> bool {
        self.pages.is_bad()
    }

    /// Returns the device that owns the pages.
    pub(super) fn device(&self) -> DmaDevice<'d> {
        self.device
    }

    /// Lends the contents to the CPU. The device must not use the pages in the meantime. When the
    /// access ends, the device sees the bytes that were written.
    pub fn sync_for_cpu(&mut self) -> CpuAccess<'_, 'd, D> {
        let begun = Transfer::SyncCpu.begin();
        // SAFETY: By the invariant the pages are mapped with these arguments.
        unsafe { self.device.sync_for_cpu(self.address, self.bytes(), D::RAW) };
        begun.done(true);
        CpuAccess(self)
    }

    /// Takes the pages back from the device, which must not use them any more.
    pub fn unmap(self) -> ExclusivePages<Bytes> {
        let mut this = ManuallyDrop::new(self);

        this.end();
        // SAFETY: `this` is neither used nor dropped any more. The device may have left any bytes
        // there, and all bytes are valid.
        unsafe { core::ptr::read(&this.pages) }
    }

    /// Unmaps the pages. Afterwards only the field `pages` may be used.
    fn end(&mut self) {
        let begun = Transfer::UnmapDevice.begin();
        // SAFETY: By the invariant the pages are mapped with these arguments. They are unmapped
        // once: by `drop`, or by `unmap`, which does not drop the value.
        unsafe { self.device.unmap(self.address, self.bytes(), D::RAW) };
        begun.done(true);
    }
}

impl<D: Direction> Drop for Mapped<'_, D> {
    /// Unmaps the pages. They are freed after this, when the device can no longer reach them.
    fn drop(&mut self) {
        self.end();
    }
}

/// Pages of a device that are lent to the CPU.
///
/// The CPU can read the pages in every direction. It can write them if the device reads them, too.
/// A page that is mapped `ToDevice` has the contents that the CPU has written.
///
/// If this is leaked (`mem::forget`), the device does not see the bytes that were written. That has
/// no other effect.
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
        let begun = Transfer::SyncDevice.begin();
        // SAFETY: By the invariant the pages are mapped with these arguments.
        unsafe {
            mapped
                .device
                .sync_for_device(mapped.address, mapped.bytes(), D::RAW)
        };
        begun.done(true);
    }
}
