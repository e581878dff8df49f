// SPDX-License-Identifier: GPL-2.0

//! Pages that a device owns: streaming DMA as a typestate.
//!
//! # Vocabulary
//!
//! - A page is *mapped* for one device and one [`Direction`]. A [`Mapped`] stands for it: it has an
//!   address for the device, and no contents for the CPU.
//! - [`Mapped::sync_for_cpu`] lends the contents back to the CPU, as a [`CpuAccess`]. While that lives
//!   the address is out of reach, so no transfer can be started.
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
//! # What the types see to
//!
//! - Nobody reads or writes what the device owns; no page is mapped twice, or unmapped twice.
//! - The CPU writes only what the device is to read. What it reads is always initialised: pages are
//!   mapped with contents, so a device that writes less than it was asked to shows nobody's secrets.
//! - No mapping outlives the driver: a [`Mapped`] borrows the bound device. One that is leaked
//!   (`mem::forget`) leaves its page to the device for ever, which nobody else gets.
//!
//! # What they cannot see
//!
//! When the device is through. Whoever unmaps or syncs has to know that it does not use the page any
//! more, by its interrupt or because it was stopped; as with every address that a driver writes into a
//! register, that is between the driver and the device. With an IOMMU that forgets at once
//! (`iommu.strict=1`) a device that comes late is stopped; without one it writes to memory that may
//! belong to others by then.
//!
//! C header: [`include/linux/dma-mapping.h`](srctree/include/linux/dma-mapping.h)

mod direction;
mod mapped;
mod stash;

pub use direction::{
    Bidirectional,
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
