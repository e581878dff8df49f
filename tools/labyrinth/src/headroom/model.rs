// SPDX-License-Identifier: GPL-2.0

//! How many pages a burst of requests can still get, by the rules of the page allocator.
//!
//! A zone serves a request of order 0 while its usable free pages are above a limit. The limit is
//! the part of the min watermark that the request may not use, and the pages that the zone keeps
//! from requests that could have used a higher zone. C source: `__zone_watermark_ok()` in
//! `mm/page_alloc.c`.

use crate::memory::{buddyinfo::Blocks, zoneinfo::Zone};
use schemars::JsonSchema;
use serde::Serialize;

/// The flags of the requests of a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Gfp {
    /// `GFP_ATOMIC`
    Atomic,
    /// `GFP_NOWAIT`
    Nowait,
}

impl Gfp {
    /// Returns the name in C.
    pub fn name(self) -> &'static str {
        match self {
            Self::Atomic => "GFP_ATOMIC",
            Self::Nowait => "GFP_NOWAIT",
        }
    }

    /// Returns the pages of the min watermark that stay out of reach. `GFP_ATOMIC` may use half of
    /// it (`__GFP_HIGH`), and a quarter of the rest, as it may not sleep.
    fn out_of_reach(self, min: u64) -> u64 {
        match self {
            Self::Atomic => {
                let half = min - min / 2;
                half - half / 4
            }
            Self::Nowait => min,
        }
    }
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The flags.
    pub gfp: Gfp,
    /// The order: 2^order pages at once.
    pub order: u32,
    /// The place of the highest zones that it may use.
    pub place: usize,
}

/// The arithmetic for a zone. All numbers are pages, except `blocks` and `served`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Arithmetic {
    /// Free pages.
    pub free: u64,
    /// Free pages in CMA areas, which the request may not use.
    pub cma: u64,
    /// Free pages that are kept for atomic requests of high orders.
    pub highatomic: u64,
    /// The pages of a block but one: the last page of a block may not be the last usable page.
    pub rest_of_block: u64,
    /// The min watermark that counts for the request.
    pub min: u64,
    /// The part of it that stays out of reach.
    pub out_of_reach: u64,
    /// Pages that the zone keeps from requests that may use higher zones.
    pub protection: u64,
    /// Pages of the zone above the limit.
    pub above: u64,
    /// Requests that the free blocks are large enough for, if the order is above 0.
    pub blocks: Option<u64>,
    /// Requests that the zone can serve.
    pub served: u64,
    /// How many of these the list of the CPU may keep instead, for order 0.
    pub swallowed: u64,
}

/// Returns the arithmetic of a zone for a kind of request.
pub fn arithmetic(zone: &Zone, blocks: Option<&Blocks>, request: Request) -> Arithmetic {
    let atomic = request.gfp == Gfp::Atomic;
    let size = 1 << request.order;
    // Order-0 requests with access to the reserve ignore the boost.
    let min = if atomic && request.order == 0 {
        zone.min - zone.boost.min(zone.min)
    } else {
        zone.min
    };
    let highatomic = if atomic {
        0
    } else {
        zone.free_highatomic
            .or(zone.reserved_highatomic)
            .unwrap_or(0)
    };
    let out_of_reach = request.gfp.out_of_reach(min);
    let protection = zone.protection.get(request.place).copied().unwrap_or(0);
    let rest_of_block = size - 1;
    let above = zone
        .free
        .saturating_sub(zone.free_cma + highatomic + rest_of_block)
        .saturating_sub(out_of_reach + protection);
    let blocks = blocks
        .filter(|_| request.order > 0)
        .map(|blocks| large_enough(blocks, request.order));
    let by_mark = above.div_ceil(size);
    let served = by_mark.min(blocks.unwrap_or(by_mark));

    Arithmetic {
        free: zone.free,
        cma: zone.free_cma,
        highatomic,
        rest_of_block,
        min,
        out_of_reach,
        protection,
        above,
        blocks,
        served,
        swallowed: if request.order == 0 {
            swallowed(zone, served)
        } else {
            0
        },
    }
}

/// Returns how many blocks of the order the free blocks can be split into.
fn large_enough(blocks: &Blocks, order: u32) -> u64 {
    (0..)
        .zip(&blocks.free)
        .skip(order as usize)
        .fold(0, |sum, (of, &count)| sum + (count << (of - order)))
}

/// Returns how many pages the last refills of a CPU's list may leave in it, where no request gets
/// them once the zone is at its limit. A refill takes up to 32 batches (`PCP_BATCH_SCALE_MAX` is 5),
/// doubling from one, and not more than the list may keep beyond a batch.
fn swallowed(zone: &Zone, served: u64) -> u64 {
    let of_list = |high: u64, batch: u64| (batch << 5).min(high.saturating_sub(batch)).max(batch);
    let largest = zone
        .lists
        .iter()
        .map(|list| of_list(list.high, list.batch))
        .max();

    largest.unwrap_or(0).saturating_sub(1).min(served)
}

/// Returns whether the burst may take pages from the zone.
pub fn may_use(zone: &Zone, request: Request) -> bool {
    zone.is_populated() && zone.place <= request.place
}

#[cfg(test)]
mod tests {
    use super::{arithmetic, may_use, Gfp, Request};
    use crate::memory::{
        buddyinfo::Blocks,
        zoneinfo::{parse, tests::TEXT},
    };

    fn request(gfp: Gfp, order: u32) -> Request {
        Request {
            gfp,
            order,
            place: 2,
        }
    }

    #[test]
    fn atomic_requests_use_five_eighths_of_the_min_watermark() {
        let zones = parse(TEXT);
        let sum = arithmetic(&zones[1], None, request(Gfp::Atomic, 0));
        // The boost of 64 does not count: (7168 - 64) * 3 / 8.
        assert_eq!((sum.min, sum.out_of_reach), (7104, 2664));
        assert_eq!(sum.above, 101320 - 1024 - 2664);
        assert_eq!(sum.served, sum.above);
    }

    #[test]
    fn requests_without_access_keep_the_whole_watermark_and_what_is_kept_for_others() {
        let zones = parse(TEXT);
        let sum = arithmetic(&zones[1], None, request(Gfp::Nowait, 0));
        assert_eq!(
            (sum.min, sum.out_of_reach, sum.highatomic),
            (7168, 7168, 512)
        );
        assert_eq!(sum.above, 101320 - 1024 - 512 - 7168);
    }

    #[test]
    fn a_low_zone_keeps_its_protection() {
        let zones = parse(TEXT);
        let sum = arithmetic(&zones[0], None, request(Gfp::Atomic, 0));
        assert_eq!(sum.protection, 955);
        assert_eq!(sum.above, 2816 - 42 - 955);
        assert!(may_use(&zones[0], request(Gfp::Atomic, 0)));
        assert!(!may_use(&zones[2], request(Gfp::Atomic, 0)));
    }

    #[test]
    fn high_orders_need_large_blocks() {
        let zones = parse(TEXT);
        let mut blocks = Blocks {
            node: 0,
            zone: "DMA32".into(),
            free: vec![1000, 500, 3, 0, 2],
        };
        let sum = arithmetic(&zones[1], Some(&blocks), request(Gfp::Atomic, 2));
        assert_eq!(sum.blocks, Some(3 + 2 * 4));
        assert_eq!(sum.served, 11);
        blocks.free.truncate(2);
        let sum = arithmetic(&zones[1], Some(&blocks), request(Gfp::Atomic, 2));
        assert_eq!(sum.served, 0);
    }
}
