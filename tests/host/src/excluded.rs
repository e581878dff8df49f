// SPDX-License-Identifier: GPL-2.0

//! Tests which blocks are excluded.

use crate::{
    logic::excluded::{
        most_held,
        Block,
        Excluded,
        InvalidExclusion,
        Zone,
        FEW,
        MAX_NODES,
        MAX_RANGES, //
    },
    property::holds,
    Case, //
};
use proptest::{
    collection::vec,
    num,
    prop_oneof,
    strategy::Strategy, //
};
use std::ops::Range;

pub(crate) const CASES: &[Case] = &[
    ("excluded_byte_by_byte", byte_by_byte),
    ("excluded_at_the_ends_of_memory", at_the_ends_of_memory),
    ("excluded_refuses", refuses),
    (
        "excluded_zone_limit_loses_nothing",
        zone_limit_loses_nothing,
    ),
    (
        "excluded_holds_back_no_more_than_allowed",
        holds_back_no_more_than_allowed,
    ),
    (
        "excluded_holds_back_as_much_as_allowed",
        holds_back_as_much_as_allowed,
    ),
];

fn zone(number: u32) -> Zone {
    Zone::ALL[number as usize % Zone::ALL.len()]
}

/// A block is excluded if and only if one of its bytes is. The model checks each byte.
fn byte_by_byte() {
    let ranges = vec((0..300_u64, 1..80_u64), 0..=MAX_RANGES);
    let block = (0..300_u64, 1..64_u64, 0..4_u32, 0..3_u32);
    let limit = prop_oneof![0..300_u64, (u64::MAX - 2)..=u64::MAX];
    holds(
        (ranges, block, limit, 0..16_u64, 0..8_u32),
        |(ranges, (start, bytes, node, kind), highest, nodes, zones)| {
            let mut excluded = Excluded::NOTHING.above(highest);
            for &(start, bytes) in &ranges {
                excluded = excluded.range(start..start + bytes).unwrap();
            }
            for node in (0..4).filter(|node| nodes >> node & 1 != 0) {
                excluded = excluded.node(node).unwrap();
            }
            for kind in (0..3).filter(|kind| zones >> kind & 1 != 0) {
                excluded = excluded.zone(zone(kind));
            }
            let model = nodes >> node & 1 != 0
                || zones >> kind & 1 != 0
                || (start..start + bytes).any(|byte| {
                    byte > highest || ranges.iter().any(|&(s, n)| (s..s + n).contains(&byte))
                });
            let block = Block {
                start,
                bytes,
                node,
                zone: zone(kind),
            };
            assert_eq!(excluded.excludes(&block), model);
        },
    );
}

/// Nothing overflows, for blocks of any size at any place.
fn at_the_ends_of_memory() {
    let end = u64::MAX;
    let block = |start, bytes| Block {
        start,
        bytes,
        node: 0,
        zone: Zone::Normal,
    };
    let last = Excluded::NOTHING.range(end - 1..end).unwrap();
    assert!(last.excludes(&block(end - 4096, 4096)) && last.excludes(&block(0, end)));
    assert!(!last.excludes(&block(end - 4096, 4095)));
    assert!(!Excluded::NOTHING.excludes(&block(end, end)));
    assert!(Excluded::NOTHING.above(4094).excludes(&block(0, 4096)));
    assert!(!Excluded::NOTHING.above(4095).excludes(&block(0, 4096)));
    holds(
        (num::u64::ANY, num::u64::ANY, num::u64::ANY),
        |(start, bytes, highest)| {
            let excluded = Excluded::NOTHING.above(highest);
            let last = u128::from(start) + u128::from(bytes.max(1)) - 1;
            let last = last.min(end.into());
            assert_eq!(
                excluded.excludes(&block(start, bytes.max(1))),
                last > u128::from(highest)
            );
        },
    );
}

fn refuses() {
    let mut full = Excluded::NOTHING;
    for i in 0..MAX_RANGES as u64 {
        assert_eq!(full.range(i + 1..i + 1), Err(InvalidExclusion::Empty));
        full = full.range(i..i + 1).unwrap();
    }
    assert_eq!(full.range(9..10), Err(InvalidExclusion::TooMany));
    assert_eq!(
        full.range(Range { start: 2, end: 1 }),
        Err(InvalidExclusion::Empty)
    );
    assert!(full
        .node(MAX_NODES - 1)
        .is_ok_and(|excluded| excluded.excludes_node(MAX_NODES - 1)));
    assert_eq!(full.node(MAX_NODES), Err(InvalidExclusion::Node));
    assert!(!full.excludes_node(MAX_NODES));
}

/// The largest order of a block.
const MAX_ORDER: u32 = 10;
/// The limit in Documentation/design.md.
const MOST_BYTES: u64 = 16 << 20;

/// Checks the bytes held back for blocks of each order, on machines of any size, after any number
/// of failures.
fn holds_back_no_more_than_allowed() {
    let memory = (0..48_u32, num::u64::ANY).prop_map(|(shift, bits)| bits >> 16 >> shift);
    holds(
        (memory, 0..=MAX_ORDER, num::u32::ANY, 12..17_u32),
        |(pages, order, given_up, page_shift)| {
            let page = 1_u64 << page_shift;
            let block = page << order;
            for given_up in [0, 1, 8, given_up] {
                let bytes = most_held(pages, page_shift, order, given_up) as u64 * block;
                assert!(bytes <= MOST_BYTES, "{bytes} bytes of order {order}");
                assert!(u128::from(bytes) <= u128::from(pages) * u128::from(page) / 16);
            }
        },
    );
}

/// At first, all memory that is allowed is held back. After many failures it is still a few blocks,
/// if that many are allowed.
fn holds_back_as_much_as_allowed() {
    let large = 1 << 30;
    for order in 0..=MAX_ORDER {
        let most = (MOST_BYTES / (4096 << order)) as usize;
        assert_eq!(most_held(large, 12, order, 0), most);
        assert_eq!(
            most_held(large, 12, order, 1),
            (most / 2).max(most.min(FEW))
        );
        assert_eq!(most_held(large, 12, order, u32::MAX), most.min(FEW));
    }
}

/// All memory above the limit of the zones is excluded.
fn zone_limit_loses_nothing() {
    let highest = (0..64_u32, num::u64::ANY).prop_map(|(shift, bits)| bits >> shift);
    holds(
        (highest, 0..8_u32, num::u64::ANY),
        |(highest, zones, start)| {
            let mut excluded = Excluded::NOTHING.above(highest);
            for kind in (0..3).filter(|kind| zones >> kind & 1 != 0) {
                excluded = excluded.zone(zone(kind));
            }
            let kind = match start {
                0..=0xff_ffff => Zone::Dma,
                0x100_0000..=0xffff_ffff => Zone::Dma32,
                _ => Zone::Normal,
            };
            let block = Block {
                start,
                bytes: 1,
                node: 0,
                zone: kind,
            };
            // Known addresses, and unknown ones.
            for starts in [[1 << 24, 1 << 32], [0, 0]] {
                if kind as u32 > excluded.zone_limit(starts) as u32 {
                    assert!(
                        excluded.excludes(&block),
                        "{block:?} is out of reach, though not excluded"
                    );
                }
            }
        },
    );
}
