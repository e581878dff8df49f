// SPDX-License-Identifier: GPL-2.0

//! Which NUMA node pages come from.

use crate::ffi::{
    cpu::OnlineCpu,
    helpers, //
};
use kernel::prelude::*;

/// The choice of NUMA node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The node of the CPU, or what the memory policy of the task says.
    Any,
    /// This node first, then others by distance.
    Near(Node),
    /// This node and no other (`__GFP_THISNODE`).
    Only(Node),
}

impl Place {
    /// The same choice, made for code on `cpu`: of any node its own comes first. Any context that can
    /// have an [`OnlineCpu`].
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

/// Which zones pages may come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ZoneLimit {
    /// Any.
    None,
    /// Those that 32 bits reach (`__GFP_DMA32`).
    Dma32,
    /// Those that the oldest devices reach (`__GFP_DMA`).
    Dma,
}

/// Where pages are.
pub(crate) struct Location {
    /// The physical address of the first.
    pub address: u64,
    /// The number of the NUMA node.
    pub node: u32,
    /// 0 in zone DMA, 1 in zone DMA32, 2 in any above.
    pub zone: u32,
}

/// A NUMA node.
///
/// # Invariants
///
/// The node was online when the value was made. (A node that goes offline later fails requests, as
/// it has no zones any more.)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Node(c_int);

impl Node {
    /// The node with this number. `ENODEV` if it is not online. Any context.
    pub fn new(number: c_int) -> Result<Self> {
        // SAFETY: Checks the range, then reads the mask of online nodes.
        if unsafe { helpers::labyrinth_node_online(number) } {
            // INVARIANT: Just checked.
            Ok(Self(number))
        } else {
            Err(ENODEV)
        }
    }

    /// The number.
    pub fn number(self) -> c_int {
        self.0
    }
}
