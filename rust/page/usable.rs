// SPDX-License-Identifier: GPL-2.0

//! The memory that requests for pages of a place can use.

use super::{
    Place,
    ZoneLimit, //
};
use crate::ffi::helpers;
use kernel::prelude::*;

/// Memory in the zones of a [`ZoneLimit`], and of the node of a [`Place`] that allows no other. All
/// numbers are in pages of the kernel.
#[derive(Clone, Copy)]
pub(crate) struct Usable {
    /// The free pages above the min watermarks, without those that the kernel protects from
    /// requests for higher zones.
    pub above_min: usize,
    /// The same without a quarter of the pages between each zone's min and high watermark.
    pub at_once: usize,
    /// The clean page cache that can be reclaimed, without a part that its users need.
    pub reclaimable: usize,
}

impl Usable {
    /// Reads the numbers, one after the other. Any context, but not cheap: it adds up all CPUs.
    pub(crate) fn now(place: Place, zones: ZoneLimit) -> Self {
        let node = match place {
            Place::Only(node) => node.number(),
            Place::Any | Place::Near(_) => -1,
        };
        let limit = zones as c_uint;

        // SAFETY: These read counters and marks of zones of online nodes, for any arguments.
        unsafe {
            Self {
                above_min: helpers::labyrinth_usable_above_min(limit, node) as usize,
                at_once: helpers::labyrinth_usable_at_once(limit, node) as usize,
                reclaimable: helpers::labyrinth_usable_reclaimable(limit, node) as usize,
            }
        }
    }
}
