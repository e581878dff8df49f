// SPDX-License-Identifier: GPL-2.0

//! The NUMA node and the zones that pages come from.

use crate::ffi::{
    cpu::online::OnlineCpu,
    helpers, //
};
use kernel::{
    bindings,
    prelude::*, //
};

/// The choice of NUMA node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The node of the CPU, or the node that the task's memory policy chooses.
    Any,
    /// This node first, then others by distance.
    Near(Node),
    /// This node and no other (`__GFP_THISNODE`).
    Only(Node),
}

impl Place {
    /// Returns the same choice for code on `cpu`: instead of any node, the node of that CPU comes
    /// first. Any context that can have an [`OnlineCpu`].
    pub(crate) fn seen_from(self, cpu: OnlineCpu<'_>) -> Self {
        match self {
            // INVARIANT: The node of a CPU that is online, and has memory, is online.
            // SAFETY: The CPU is online, by its invariant.
            Self::Any => Self::Near(Node(unsafe {
                helpers::labyrinth_node_of_cpu(cpu.number())
            })),
            Self::Near(_) | Self::Only(_) => self,
        }
    }
}

/// The zones that pages may come from. `watermark.c` has the numbers, too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ZoneLimit {
    /// Any zone.
    None = 0,
    /// Zones below 4 GiB (`__GFP_DMA32`).
    Dma32 = 1,
    /// The zone for the oldest devices (`__GFP_DMA`).
    Dma = 2,
}

impl ZoneLimit {
    /// Returns the flags of the allocator that say so.
    #[inline(always)]
    pub(super) fn gfp(self) -> bindings::gfp_t {
        match self {
            Self::None => 0,
            Self::Dma32 => helpers::LABYRINTH_GFP_DMA32,
            Self::Dma => helpers::LABYRINTH_GFP_DMA,
        }
    }
}

/// The location of pages.
pub(crate) struct Location {
    /// The physical address of the first page.
    pub address: u64,
    /// The number of the NUMA node.
    pub node: u32,
    /// The zone: 0 for DMA, 1 for DMA32, 2 for any higher zone.
    pub zone: u32,
}

/// A NUMA node.
///
/// # Invariants
///
/// The node was online when the value was made. (If it goes offline later, requests fail, because
/// it has no zones any more.)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Node(c_int);

impl Node {
    /// Returns the node with this number. Fails with `ENODEV` if it is not online. Any context.
    pub fn new(number: c_int) -> Result<Self> {
        // SAFETY: Checks the range, then reads the mask of online nodes.
        if unsafe { helpers::labyrinth_node_online(number) } {
            // INVARIANT: Just checked.
            Ok(Self(number))
        } else {
            Err(ENODEV)
        }
    }

    /// Returns the number. Any context.
    pub fn number(self) -> c_int {
        self.0
    }
}
