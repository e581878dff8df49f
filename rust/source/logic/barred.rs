// SPDX-License-Identifier: GPL-2.0

//! Memory that a caller does not want.

use core::ops::Range;

/// How many ranges can be barred.
pub(crate) const MAX_RANGES: usize = 4;

/// The nodes that can be barred are those below this number.
pub const MAX_NODES: u32 = u64::BITS;

/// The most memory to hold back while the allocator is asked for blocks that are not barred: 16
/// MiB, and not more than this part of the machine's memory.
const MOST_HELD_BYTES: u64 = 16 << 20;
const PART_OF_MEMORY: u64 = 16;

/// The least number of blocks to hold back, unless they exceed that memory.
pub(crate) const FEW: usize = 16;

/// The number of barred blocks of 2^`order` pages that may be held back, on a machine with
/// `memory_pages` pages of 2^`page_shift` bytes. Each of the last `given_up` failures in a row
/// halves it, but not below [`FEW`]. It is 0 if a single block is more than may be held back.
pub(crate) fn most_held(memory_pages: u64, page_shift: u32, order: u32, given_up: u32) -> usize {
    let shifted = |number: u64, by| number.checked_shr(by).unwrap_or(0);
    let most = shifted(MOST_HELD_BYTES, page_shift).min(memory_pages / PART_OF_MEMORY);
    let most = shifted(most, order);
    shifted(most, given_up).max(most.min(FEW as u64)) as usize
}

/// The kinds of zones that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// What the oldest devices reach.
    Dma,
    /// What devices with 32 bits for an address reach.
    Dma32,
    /// All others.
    Normal,
}

impl Zone {
    /// All kinds, the lowest first; `zone as u32` is the number.
    pub const ALL: [Self; 3] = [Self::Dma, Self::Dma32, Self::Normal];
}

/// A block of contiguous memory.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// The physical address.
    pub start: u64,
    /// Its bytes, at least one.
    pub bytes: u64,
    /// The NUMA node.
    pub node: u32,
    /// The kind of its zone.
    pub zone: Zone,
}

/// Which memory must not be used. A block is barred if any byte of it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Barred {
    /// The highest address that is not.
    highest: u64,
    /// From the first address up to but without the second; those from 0 to 0 are not used.
    ranges: [(u64, u64); MAX_RANGES],
    /// A bit for each node.
    nodes: u64,
    /// A bit for each [`Zone`].
    zones: u8,
}

/// Why memory cannot be barred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The range ends before it has begun.
    Empty,
    /// There are [`MAX_RANGES`] already.
    TooMany,
    /// The node's number is not below [`MAX_NODES`].
    Node,
}

impl Barred {
    /// Nothing is barred.
    pub const NOTHING: Self = Self {
        highest: u64::MAX,
        ranges: [(0, 0); MAX_RANGES],
        nodes: 0,
        zones: 0,
    };

    /// Also what is above an address: a device's limit, that is the highest one that it reaches.
    pub fn above(self, highest: u64) -> Self {
        Self {
            highest: self.highest.min(highest),
            ..self
        }
    }

    /// Also these physical addresses.
    pub fn range(mut self, range: Range<u64>) -> Result<Self, Refused> {
        if range.is_empty() {
            return Err(Refused::Empty);
        }
        let free = self.ranges.iter_mut().find(|range| **range == (0, 0));
        *free.ok_or(Refused::TooMany)? = (range.start, range.end);
        Ok(self)
    }

    /// Also the memory of a NUMA node.
    pub fn node(self, node: u32) -> Result<Self, Refused> {
        let bit = 1_u64.checked_shl(node).ok_or(Refused::Node)?;
        Ok(Self {
            nodes: self.nodes | bit,
            ..self
        })
    }

    /// Also all zones of a kind.
    pub fn zone(self, zone: Zone) -> Self {
        Self {
            zones: self.zones | 1 << zone as u8,
            ..self
        }
    }

    /// Whether the memory of a node is barred.
    pub(crate) fn bars_node(&self, node: u32) -> bool {
        1_u64
            .checked_shl(node)
            .is_some_and(|bit| self.nodes & bit != 0)
    }

    fn bars_zone(&self, zone: Zone) -> bool {
        self.zones & 1 << zone as u8 != 0
    }

    /// Whether a block must not be used.
    pub fn bars(&self, block: &Block) -> bool {
        let last = block.start.saturating_add(block.bytes.saturating_sub(1));

        last > self.highest
            || self
                .ranges
                .iter()
                .any(|&(start, end)| block.start < end && start <= last)
            || self.bars_node(block.node)
            || self.bars_zone(block.zone)
    }

    /// The highest kind of zone that is worth looking into. To go by it only saves tries: what
    /// [`Self::bars`] says counts. (The limits of the zones are those of x86.)
    pub(crate) fn zone_limit(&self) -> Zone {
        let unused = |zone, from| self.bars_zone(zone) || self.highest < from;

        if !unused(Zone::Normal, 1 << 32) {
            Zone::Normal
        } else if !unused(Zone::Dma32, 1 << 24) {
            Zone::Dma32
        } else {
            Zone::Dma
        }
    }
}
