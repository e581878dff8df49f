// SPDX-License-Identifier: GPL-2.0

//! The free blocks that are large enough for requests of high orders.

use crate::memory::{buddyinfo, pagetypeinfo::Types, zoneinfo::Zone};

/// The order of a page block if the kernel does not tell, as on most machines.
const PAGE_BLOCK_ORDER: usize = 9;

/// How many blocks of the order of the requests the free blocks of a zone can be split into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    /// What the requests can get for certain.
    pub certain: u64,
    /// What they can get if all blocks are of a type that they may use.
    pub possible: u64,
    /// What they can get before the kernel takes parts of other types' page blocks, which boosts
    /// its watermarks.
    pub without_boost: u64,
    /// What is kept for atomic requests of high orders, and contained in the others.
    pub highatomic: u64,
    /// Whether the types of the blocks are known.
    pub exact: bool,
}

/// Returns the number for a zone. The types are known to root only.
pub fn of(
    zone: &Zone,
    buddies: &[buddyinfo::Blocks],
    types: Option<&Types>,
    order: u32,
) -> Option<Blocks> {
    let unaccepted = zone.unaccepted >> order;
    let order = order as usize;

    if let Some(types) = types {
        let mut found = Blocks {
            exact: true,
            ..Blocks::default()
        };
        let here = types
            .blocks
            .iter()
            .filter(|blocks| blocks.node == zone.node && blocks.zone == zone.name);
        let mut any = false;
        for blocks in here {
            any = true;
            let all = large_enough(&blocks.free, order, order);
            match blocks.kind.as_str() {
                "Unmovable" => {
                    found.certain += all;
                    found.without_boost += all;
                }
                "Movable" | "Reclaimable" => {
                    found.certain += all;
                    found.without_boost +=
                        large_enough(&blocks.free, order.max(types.page_block_order), order);
                }
                "HighAtomic" => {
                    found.certain += all;
                    found.without_boost += all;
                    found.highatomic += all;
                }
                // CMA and Isolate.
                _ => {}
            }
        }
        if any {
            found.certain += unaccepted;
            found.without_boost += unaccepted;
            found.possible = found.certain;
            return Some(found);
        }
    }
    let free = &buddies
        .iter()
        .find(|blocks| blocks.node == zone.node && blocks.zone == zone.name)?
        .free;
    let possible = large_enough(free, order, order) + unaccepted;

    Some(Blocks {
        certain: possible.saturating_sub(zone.free_cma >> order),
        possible,
        without_boost: (large_enough(free, order.max(PAGE_BLOCK_ORDER), order) + unaccepted)
            .saturating_sub(zone.free_cma >> order),
        highatomic: zone.free_highatomic.unwrap_or(0) >> order,
        exact: zone.free_cma == 0,
    })
}

/// Returns how many blocks of an order the free blocks of at least another order make.
fn large_enough(free: &[u64], from: usize, order: usize) -> u64 {
    (0..)
        .zip(free)
        .skip(from)
        .fold(0, |sum, (of, &count): (usize, _)| {
            sum + (count << (of - order))
        })
}

#[cfg(test)]
mod tests {
    use super::{of, Blocks};
    use crate::memory::{
        buddyinfo,
        pagetypeinfo::{self, Types},
        zoneinfo::Zone,
    };

    fn zone() -> Zone {
        Zone {
            name: "DMA32".into(),
            free_cma: 8,
            ..Zone::default()
        }
    }

    #[test]
    fn cma_blocks_are_not_for_these_requests() {
        let buddies = [buddyinfo::Blocks {
            node: 0,
            zone: "DMA32".into(),
            free: vec![1000, 500, 3, 0, 2],
        }];
        let blocks = of(&zone(), &buddies, None, 2).unwrap();
        assert_eq!((blocks.certain, blocks.possible), (9, 11));
        assert!(!blocks.exact);
        assert_eq!(of(&zone(), &[], None, 2), None);
    }

    #[test]
    fn types_tell_exactly() {
        let kinds = [
            ("Unmovable", 1),
            ("Movable", 10),
            ("HighAtomic", 2),
            ("CMA", 100),
        ];
        let types = Types {
            page_block_order: 3,
            blocks: kinds
                .map(|(kind, count)| pagetypeinfo::Blocks {
                    node: 0,
                    zone: "DMA32".into(),
                    kind: kind.into(),
                    free: vec![7, 0, count, 1],
                })
                .into(),
        };
        let blocks = of(&zone(), &[], Some(&types), 2).unwrap();
        let wanted = Blocks {
            certain: 3 + 12 + 4,
            possible: 19,
            without_boost: 3 + 2 + 4,
            highatomic: 4,
            exact: true,
        };
        assert_eq!(blocks, wanted);
    }
}
