// SPDX-License-Identifier: GPL-2.0

//! Pages that a device owns: streaming DMA as a typestate.
//!
//! # Vocabulary
//!
//! - A page is *mapped* for one device and one [`Direction`]. The type [`Mapped`] stands for such a
//!   page. It has an address for the device, and no contents for the CPU.
//! - [`Mapped::sync_for_cpu`] lends the contents to the CPU, as a [`CpuAccess`]. While the
//!   [`CpuAccess`] exists, the address is not available, so no transfer can be started.
//! - A [`Stash`] keeps mapped pages for the next use.
//!
//! # State diagram
//!
//! ```text
//!                      map(cx, device, direction, pages)
//!   ExclusivePages ────────────────────────────────────► Mapped ──┐ sync_for_cpu()
//!       ▲   ▲   ▲          │ NotMapped: the pages        │  │  ▲  ▼
//!       │   │   └──────────┘                             │  │ CpuAccess ends: sync for the device
//!       │   └──────────────── unmap() ───────────────────┘  │
//!       │                                                   │
//!   allocator ◄──────────── drop: unmaps, then frees ───────┘
//! ```
//!
//! # What the types ensure
//!
//! - The CPU does not access a page while the device owns it. No page is mapped or unmapped twice.
//! - The CPU writes only pages that the device reads.
//! - The CPU reads initialised memory only. Pages are mapped with contents, so a device that writes
//!   less than requested reveals no old data.
//! - No mapping outlives the driver, because a [`Mapped`] borrows the bound device. If a [`Mapped`]
//!   is leaked (`mem::forget`), its page stays with the device for ever.
//!
//! # What the driver must ensure
//!
//! The types cannot know when the device is done with a page. A driver must know it before it
//! unmaps or syncs a page, from an interrupt or because it has stopped the device. An IOMMU that
//! invalidates at once (`iommu.strict=1`) stops an access that comes too late. Without one, the
//! device writes to memory that may have another owner by then.
//!
//! C header: [`include/linux/dma-mapping.h`](srctree/include/linux/dma-mapping.h)

mod direction;
mod mapped;
mod stash;

pub use direction::{
    Bidirectional,
    DeviceReads,
    Direction,
    FromDevice,
    ToDevice, //
};
pub use mapped::{
    map,
    map_each,
    CpuAccess,
    Mapped,
    NotMapped, //
};
pub use stash::Stash;
