// SPDX-License-Identifier: GPL-2.0

//! Zones, and the CPUs' lists of their free pages.
//!
//! A request takes its page from the list of its CPU. An empty list is refilled from the zone, with
//! many pages at once. Before each request, the allocator compares the zone's free pages with a
//! limit. Pages in lists do not count as free pages of the zone.
//!
//! C header: [`include/linux/mmzone.h`](srctree/include/linux/mmzone.h)

use crate::ffi::{
    context::SpinLocked,
    helpers, //
};
use kernel::ffi::{
    c_int,
    c_uint, //
};

/// A zone of a NUMA node.
///
/// # Invariants
///
/// The node was online when the value was made, and the kind is one of the kinds of zones. The
/// kernel never frees the description of a node.
#[derive(Clone, Copy)]
pub struct Zone {
    node: c_int,
    kind: c_uint,
}

/// Returns whether CMA areas, which serve requests for movable pages, have free pages. Any context.
pub fn has_free_cma() -> bool {
    // SAFETY: Reads a counter.
    unsafe { helpers::labyrinth_has_free_cma() }
}

/// The list of a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuList {
    /// The single pages in the list that `GFP_ATOMIC` and `GFP_KERNEL` can get, at most 4096.
    pub pages: u64,
    /// The other pages in the list, and the rest of the pages above.
    pub others: u64,
    /// If the list has more pages than this, pages go back to the zone.
    pub high: u64,
    /// The size of a refill that is not doubled.
    pub batch: u64,
    /// The number of times that the next refill is doubled.
    pub scale: u32,
    /// The most times that a refill is doubled.
    pub max_scale: u32,
    /// The most pages that the CPU may take or free before the zone's counter shows it.
    pub drift: u64,
}

impl Zone {
    /// Returns the zone that requests on this CPU try first. Any context.
    pub fn preferred() -> Self {
        let (mut node, mut kind) = (0, 0);
        // SAFETY: Both may be written.
        unsafe { helpers::labyrinth_preferred_zone(&mut node, &mut kind) };
        // INVARIANT: A zone of a node that has memory.
        Self { node, kind }
    }

    /// Returns the node and the kind, as the C side wants them. Any context.
    pub(crate) fn number(&self) -> (c_int, c_uint) {
        (self.node, self.kind)
    }

    /// Returns how many free pages the zone has above the limit of `GFP_ATOMIC`. Below the limit
    /// the number is negative or 0, and the zone serves no such request. Any context.
    pub fn above_limit(&self) -> i64 {
        // SAFETY: A zone, by the invariant.
        unsafe { helpers::labyrinth_zone_above(self.node, self.kind) as i64 }
    }

    /// Returns how many free pages the other zones have above their limits. Any context.
    pub fn above_limit_elsewhere(&self) -> u64 {
        // SAFETY: A zone, by the invariant.
        unsafe { helpers::labyrinth_above_elsewhere(self.node, self.kind) as u64 }
    }

    /// Returns this CPU's list, or `None` if it is in use.
    ///
    /// The caller must hold a lock, so that the task stays on its CPU. The numbers are a snapshot:
    /// hard interrupts can change the list at any time, and other CPUs can empty it.
    pub fn list(&self, _cx: &SpinLocked) -> Option<CpuList> {
        let (mut pages, mut others) = (0, 0);
        let (node, kind) = (self.node, self.kind);
        // SAFETY: A zone, by the invariant. Both numbers may be written. `_cx` proves that this
        // task stays on the CPU, with bottom halves disabled.
        if !unsafe { helpers::labyrinth_list(node, kind, &mut pages, &mut others) } {
            return None;
        }
        // SAFETY: A zone, by the invariant; these read numbers.
        unsafe {
            Some(CpuList {
                pages: pages as u64,
                others: others as u64,
                high: helpers::labyrinth_list_high(node, kind) as u64,
                batch: helpers::labyrinth_list_batch(node, kind) as u64,
                scale: helpers::labyrinth_list_scale(node, kind),
                max_scale: helpers::LABYRINTH_LIST_MAX_SCALE,
                drift: helpers::labyrinth_list_drift(node, kind) as u64,
            })
        }
    }
}
