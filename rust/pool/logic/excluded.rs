// SPDX-License-Identifier: GPL-2.0

//! Excluded memory, which a pool must not use.

use core::ops::Range;

/// The maximum number of excluded ranges.
pub(crate) const MAX_RANGES: usize = 4;

/// The nodes that can be excluded are those below this number.
pub const MAX_NODES: u32 = u64::BITS;

/// The most memory to hold back while an allocation is retried: 16 MiB, and no more than this part
/// of the machine's memory.
const MOST_HELD_BYTES: u64 = 16 << 20;
const PART_OF_MEMORY: u64 = 16;

/// The smallest number of blocks to hold back, unless they exceed that memory.
pub(crate) const FEW: usize = 16;

/// Returns how many excluded blocks of 2^`order` pages may be held back, on a machine with
/// `memory_pages` pages of 2^`page_shift` bytes. Each of the last `given_up` failures in a row
/// halves the number, but not below [`FEW`]. It is 0 if a single block is more than may be held
/// back.
pub(crate) fn most_held(memory_pages: u64, page_shift: u32, order: u32, given_up: u32) -> usize {
    let shifted = |number: u64, by| number.checked_shr(by).unwrap_or(0);
    let most = shifted(MOST_HELD_BYTES, page_shift).min(memory_pages / PART_OF_MEMORY);
    let most = shifted(most, order);
    shifted(most, given_up).max(most.min(FEW as u64)) as usize
}

/// The kinds of zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The zone for the oldest devices.
    Dma,
    /// The zone for devices with 32-bit addresses.
    Dma32,
    /// All other zones.
    Normal,
}

impl Zone {
    /// All kinds, the lowest zone first; `zone as u32` is the number.
    pub const ALL: [Self; 3] = [Self::Dma, Self::Dma32, Self::Normal];
}

/// A block of contiguous memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// The physical address.
    pub start: u64,
    /// The number of bytes, at least one.
    pub bytes: u64,
    /// The NUMA node.
    pub node: u32,
    /// The kind of its zone.
    pub zone: Zone,
}

/// The memory that must not be used. A block is excluded if any of its bytes is. Its methods may be
/// called in any context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// The highest allowed address.
    highest: u64,
    /// The first address of each range, and the address after its last. Ranges from 0 to 0 are
    /// unused.
    ranges: [(u64, u64); MAX_RANGES],
    /// A bit for each node.
    nodes: u64,
    /// A bit for each [`Zone`].
    zones: u8,
}

/// The reason why memory cannot be excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidExclusion {
    /// The range ends before it begins.
    Empty,
    /// There are too many ranges already.
    TooMany,
    /// The node's number is not below [`MAX_NODES`].
    Node,
}

impl Excluded {
    /// Nothing is excluded.
    pub const NOTHING: Self = Self {
        highest: u64::MAX,
        ranges: [(0, 0); MAX_RANGES],
        nodes: 0,
        zones: 0,
    };

    /// Also excludes memory above an address, such as the highest address that a device can reach.
    pub fn above(self, highest: u64) -> Self {
        Self {
            highest: self.highest.min(highest),
            ..self
        }
    }

    /// Also excludes these physical addresses. Fails if there are none, or too many ranges.
    pub fn range(mut self, range: Range<u64>) -> Result<Self, InvalidExclusion> {
        if range.is_empty() {
            return Err(InvalidExclusion::Empty);
        }
        let free = self.ranges.iter_mut().find(|range| **range == (0, 0));
        *free.ok_or(InvalidExclusion::TooMany)? = (range.start, range.end);
        Ok(self)
    }

    /// Also excludes the memory of a NUMA node. Fails for a node beyond [`MAX_NODES`].
    pub fn node(self, node: u32) -> Result<Self, InvalidExclusion> {
        let bit = 1_u64.checked_shl(node).ok_or(InvalidExclusion::Node)?;
        Ok(Self {
            nodes: self.nodes | bit,
            ..self
        })
    }

    /// Also excludes all zones of a kind.
    pub fn zone(self, zone: Zone) -> Self {
        Self {
            zones: self.zones | 1 << zone as u8,
            ..self
        }
    }

    /// Returns whether the memory of a node is excluded.
    pub(crate) fn excludes_node(&self, node: u32) -> bool {
        1_u64
            .checked_shl(node)
            .is_some_and(|bit| self.nodes & bit != 0)
    }

    fn excludes_zone(&self, zone: Zone) -> bool {
        self.zones & 1 << zone as u8 != 0
    }

    /// Returns whether a block must not be used.
    pub(crate) fn excludes(&self, block: &Block) -> bool {
        let last = block.start.saturating_add(block.bytes.saturating_sub(1));

        last > self.highest
            || self
                .ranges
                .iter()
                .any(|&(start, end)| block.start < end && start <= last)
            || self.excludes_node(block.node)
            || self.excludes_zone(block.zone)
    }

    /// Returns the highest kind of zone that has allowed memory, on a machine whose zones DMA32 and
    /// Normal begin at these physical addresses. An address that is not known is 0. This only saves
    /// attempts; [`Self::excludes`] decides.
    pub(crate) fn zone_limit(&self, [dma32, normal]: [u64; 2]) -> Zone {
        let unused = |zone, from| self.excludes_zone(zone) || self.highest < from;

        if !unused(Zone::Normal, normal) {
            Zone::Normal
        } else if !unused(Zone::Dma32, dma32) {
            Zone::Dma32
        } else {
            Zone::Dma
        }
    }
}
