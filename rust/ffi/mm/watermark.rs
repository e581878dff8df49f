// SPDX-License-Identifier: GPL-2.0

//! Free memory, watermarks, and pages that are taken from below them.
//!
//! # Vocabulary
//!
//! - *min watermark*: a zone's free pages below it are the kernel's emergency reserve, for requests
//!   that cannot wait (`GFP_ATOMIC`) and for reclaim itself.
//! - *emergency page*: a page that left the allocator while the free pages of its zone were below
//!   the min watermark.
//!
//! The figures are the allocator's own: its `pgalloc_*` events of the local CPU, and its zone
//! counters. So they cover every way to allocate, without help from the allocating code.
//!
//! A page on the allocator's per-CPU lists does not count as free. When the allocator refills those
//! lists, a zone can drop below the watermark by up to a batch (63 pages on most machines).
//!
//! C headers: [`include/linux/mmzone.h`](srctree/include/linux/mmzone.h),
//! [`include/linux/vmstat.h`](srctree/include/linux/vmstat.h)

use crate::ffi::helpers;
use kernel::ffi::{
    c_uint,
    c_ulong, //
};

/// A number larger than the number of kinds of zones in any configuration.
const MAX_KINDS: usize = 8;

/// Returns whether the kernel counts the pages that leave the allocator
/// (`CONFIG_VM_EVENT_COUNTERS`). If it does not, no [`Gauge`] changes. Any context.
pub fn allocations_counted() -> bool {
    // SAFETY: Returns a constant.
    unsafe { helpers::labyrinth_allocations_counted() }
}

/// A reading of the pages that have left the allocator on this CPU so far, by kind of zone.
#[derive(Clone, Copy)]
pub struct Gauge([c_ulong; MAX_KINDS]);

impl Gauge {
    /// Takes a reading. Any context.
    ///
    /// Compare two readings only if they are from the same CPU. They show the caller's own requests
    /// only if no other code can run in between: in a softirq only hard interrupts can.
    #[inline]
    pub fn read() -> Self {
        let mut gauge = Self([0; MAX_KINDS]);

        for (kind, count) in gauge.0.iter_mut().enumerate().take(kinds()) {
            // SAFETY: `kind` is below the number of kinds; this reads a per-CPU word.
            *count = unsafe { helpers::labyrinth_local_allocations(kind as c_uint) };
        }
        gauge
    }

    /// Returns the emergency pages since this reading. They are the pages from zones of a kind of
    /// which one zone is below its min watermark now. Any context.
    #[inline]
    pub fn emergency_pages_since(&self) -> u64 {
        let now = Self::read();
        let mut pages: u64 = 0;

        for (kind, (now, then)) in now.0.iter().zip(self.0).enumerate().take(kinds()) {
            let taken = now.wrapping_sub(then);
            // SAFETY: `kind` is below the number of kinds; this reads counters of zones of online
            // nodes.
            if taken != 0 && unsafe { helpers::labyrinth_below_min(kind as c_uint) } {
                pages = pages.saturating_add(taken as u64);
            }
        }
        pages
    }
}

/// Returns the number of kinds of zones.
#[inline]
fn kinds() -> usize {
    // SAFETY: Returns a constant.
    unsafe { helpers::labyrinth_zone_kinds() as usize }
}

/// Returns the size of all memory that the kernel manages, in pages. Any context.
pub(crate) fn memory_total() -> usize {
    // SAFETY: Reads a number.
    unsafe { helpers::labyrinth_memory_total() as usize }
}

/// The state of all memory, in pages.
#[derive(Clone, Copy)]
pub struct Memory {
    /// Free pages in the buddy allocator.
    pub free: u64,
    /// Free pages on the allocator's per-CPU lists.
    pub on_cpu_lists: u64,
    /// The free pages that are kept for hardware with short addresses (`lowmem_reserve`).
    pub protected: u64,
    /// The pages that zones lack to be at their min watermarks, added up. This part of the
    /// emergency reserve is used up, if only by the allocator's per-CPU lists.
    pub shortfall: u64,
    /// The sum of the zones' min watermarks.
    pub min: u64,
    /// The sum of their low watermarks. Below its low watermark, a zone wakes `kswapd`.
    pub low: u64,
    /// The sum of their high watermarks. At the high watermark, `kswapd` goes back to sleep.
    pub high: u64,
}

impl Memory {
    /// Reads all figures, one after the other. Any context, but not cheap: it adds up all CPUs.
    pub fn now() -> Self {
        // SAFETY: All of them read counters and marks of the zones of online nodes.
        unsafe {
            Self {
                free: helpers::labyrinth_memory_free() as u64,
                on_cpu_lists: helpers::labyrinth_memory_on_cpu_lists() as u64,
                protected: helpers::labyrinth_memory_protected() as u64,
                shortfall: helpers::labyrinth_memory_shortfall() as u64,
                min: helpers::labyrinth_memory_mark_min() as u64,
                low: helpers::labyrinth_memory_mark_low() as u64,
                high: helpers::labyrinth_memory_mark_high() as u64,
            }
        }
    }
}
