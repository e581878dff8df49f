// SPDX-License-Identifier: GPL-2.0

//! How many requests a burst can still get, by the rules of the page allocator.
//!
//! A zone serves a request of order 0 while its usable free pages are above a limit. The limit is
//! the part of the min watermark that the request may not use, and the pages that the zone keeps
//! from requests that could have used a higher zone. A request of a high order also needs a free
//! block that is large enough. C source: `zone_watermark_fast()`, `__zone_watermark_ok()` and
//! `rmqueue_buddy()` in `mm/page_alloc.c`.

use super::{
    blocks::Blocks,
    list::{self, OtherCpus, Pages, Served},
};
use crate::memory::zoneinfo::{CpuList, Zone};
use schemars::JsonSchema;
use serde::Serialize;

/// The largest order of blocks in the lists of CPUs, on kernels that put blocks there.
const LIST_ORDER: u32 = 3;
/// The size of a page block on most machines. The kernel boosts watermarks by this many pages.
pub const PAGE_BLOCK: u64 = 512;

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
    pub fn out_of_reach(self, min: u64) -> u64 {
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
    /// The CPU of the burst, if it is known.
    pub cpu: Option<u32>,
}

/// What else decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The version, such as (6, 12).
    pub version: (u32, u32),
    /// The number of the stable release, such as 118 for 6.12.118, or 0 if it is not known.
    pub release: u32,
    /// `vm.watermark_boost_factor`.
    pub boost_factor: u64,
}

impl Kernel {
    /// Whether single pages that are kept for high orders are a last resort for all requests that
    /// may not sleep.
    fn has_last_resort(self) -> bool {
        self.version >= (6, 12) || self.is_6_1_116()
    }

    /// Whether it is a stable release of 6.1 with the rules of 6.3, and with the last resort.
    fn is_6_1_116(self) -> bool {
        self.version == (6, 1) && self.release >= 116
    }

    /// Whether the lists of CPUs hold blocks of this order. Before 5.14 they hold single pages.
    fn has_in_lists(self, order: u32) -> bool {
        order == 0 || order <= LIST_ORDER && self.version >= (5, 14)
    }

    /// Whether the check of the watermark counts pages that are kept for high orders as usable.
    fn counts_highatomic(self, gfp: Gfp) -> bool {
        gfp == Gfp::Atomic || self.version >= (6, 3) || self.is_6_1_116()
    }
}

/// The arithmetic for a zone. All numbers are pages, except `blocks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Arithmetic {
    /// Free pages, as the kernel's counter says.
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
    /// By how much `above` shrinks if the kernel boosts the watermarks during the burst.
    pub boost: u64,
    /// Requests that the free blocks are large enough for, if the order is above 0.
    pub blocks: Option<u64>,
    /// The requests among these whose blocks are kept for atomic requests, if the request is not
    /// atomic.
    pub blocks_kept: Option<u64>,
    /// Pages of all types in the list of a CPU: the most of all CPUs that count.
    pub in_list: u64,
    /// How many pages a CPU may have taken or freed that `free` does not show yet.
    pub drift: u64,
    /// Pages in the lists of the other CPUs. They can come back to the zone during the burst.
    pub in_other_lists: u64,
    /// How many pages the other CPUs may have taken or freed that `free` does not show yet.
    pub drift_of_others: u64,
}

impl Arithmetic {
    /// Returns how many pages are missing up to the limit.
    fn missing(&self) -> u64 {
        let unusable = self.cma + self.highatomic + self.rest_of_block;

        (unusable + self.out_of_reach + self.protection).saturating_sub(self.free)
    }
}

/// Returns the arithmetic of a zone for a kind of request, and how many requests it serves.
pub fn arithmetic(
    zone: &Zone,
    blocks: Option<Blocks>,
    request: Request,
    kernel: Kernel,
) -> (Arithmetic, Served) {
    let atomic = request.gfp == Gfp::Atomic;
    let size = 1 << request.order;
    // Order-0 requests with access to the reserve ignore the boost.
    let ignored = atomic && request.order == 0;
    let min = if ignored {
        zone.min.saturating_sub(zone.boost)
    } else {
        zone.min
    };
    let kept = zone
        .free_highatomic
        .or(zone.reserved_highatomic)
        .unwrap_or(0);
    // On old kernels, the check of the watermark subtracts reserved pages even if they are in use.
    let highatomic = if kernel.counts_highatomic(request.gfp) {
        0
    } else if zone.highatomic_from_pagetypeinfo {
        zone.reserved_highatomic.unwrap_or(kept)
    } else {
        kept
    };
    let out_of_reach = request.gfp.out_of_reach(min);
    let protection = zone.protection.get(request.place).copied().unwrap_or(0);
    let rest_of_block = size - 1;
    let above = zone
        .free
        .saturating_sub(zone.free_cma + highatomic + rest_of_block)
        .saturating_sub(out_of_reach + protection);
    let boost = if ignored {
        0
    } else {
        let raised = min + more_boost(zone, kernel);
        (request.gfp.out_of_reach(raised) - out_of_reach).min(above)
    };
    let lists = lists(zone, request.cpu);
    let in_list = lists.iter().map(|list| list.count).max().unwrap_or(0);
    let drift = lists.iter().map(|list| list.threshold).max().unwrap_or(0);
    let all_lists: u64 = zone.lists.iter().map(|list| list.count).sum();
    let all_drift: u64 = zone.lists.iter().map(|list| list.threshold).sum();
    let sum = Arithmetic {
        free: zone.free,
        cma: zone.free_cma,
        highatomic,
        rest_of_block,
        min,
        out_of_reach,
        protection,
        above,
        boost,
        blocks: blocks
            .filter(|_| request.order > 0)
            .map(|blocks| blocks.certain),
        blocks_kept: blocks.filter(|_| request.order > 0).map(|blocks| {
            if atomic {
                0
            } else {
                blocks.highatomic
            }
        }),
        in_list,
        drift,
        in_other_lists: all_lists.saturating_sub(in_list),
        drift_of_others: all_drift.saturating_sub(drift),
    };
    let served: Vec<Served> = lists
        .iter()
        .map(|list| {
            let burst = Burst {
                request,
                kernel,
                list,
                others: OtherCpus {
                    in_lists: all_lists.saturating_sub(list.count),
                    drift: all_drift.saturating_sub(list.threshold),
                },
            };
            match blocks.filter(|_| request.order > 0) {
                None if request.order == 0 => single(zone, &sum, kept, burst),
                blocks => high_order(zone, &sum, blocks, kept, burst),
            }
        })
        .collect();
    (sum, Served::any_of(&served))
}

/// Returns the lists that a burst may use, or an empty one if the kernel shows none.
fn lists(zone: &Zone, cpu: Option<u32>) -> Vec<CpuList> {
    let lists: Vec<CpuList> = zone
        .lists
        .iter()
        .filter(|list| cpu.is_none_or(|cpu| cpu == list.cpu))
        .copied()
        .collect();

    if lists.is_empty() {
        vec![CpuList::default()]
    } else {
        lists
    }
}

/// A burst on a CPU.
#[derive(Clone, Copy)]
struct Burst<'a> {
    request: Request,
    kernel: Kernel,
    list: &'a CpuList,
    others: OtherCpus,
}

/// Returns by how many pages the kernel may still boost the watermarks of a zone. It does so when a
/// request takes a part of a page block of another type.
pub fn more_boost(zone: &Zone, kernel: Kernel) -> u64 {
    if kernel.boost_factor == 0 || zone.managed < 4 * PAGE_BLOCK {
        return 0;
    }
    let high = zone.high.saturating_sub(zone.boost);
    let most = (high * kernel.boost_factor / 10_000).max(PAGE_BLOCK);

    most.saturating_sub(zone.boost)
}

/// Returns the most pages that can be reserved for atomic requests of high orders. The kernel
/// reserves another page block while less than one percent of the zone plus one block is reserved.
fn most_reserved(zone: &Zone) -> u64 {
    zone.managed / 100 + 2 * PAGE_BLOCK
}

/// Returns how many more free pages can be kept for such requests than the zone shows.
fn most_unknown_highatomic(zone: &Zone) -> u64 {
    if zone.highatomic_is_unknown() {
        most_reserved(zone)
    } else if zone.highatomic_is_old {
        most_reserved(zone).saturating_sub(zone.free_highatomic.unwrap_or(0))
    } else {
        0
    }
}

/// Returns how many pages the kernel may have released that the zone shows as kept for such
/// requests.
fn most_released_highatomic(zone: &Zone, kept: u64) -> u64 {
    if zone.highatomic_is_old {
        kept
    } else {
        0
    }
}

/// Returns the least number of usable pages above the limit, if the reserve for atomic requests of
/// high orders is as large as it can be.
fn least_above(zone: &Zone, sum: &Arithmetic, request: Request, kernel: Kernel) -> u64 {
    let above = sum.above - sum.boost;

    if kernel.counts_highatomic(request.gfp) {
        above
    } else {
        let known = !zone.highatomic_is_unknown() && !zone.highatomic_from_pagetypeinfo;
        let most = if known { 0 } else { most_reserved(zone) };

        above.saturating_sub(most.saturating_sub(sum.highatomic))
    }
}

/// Requests of order 0.
fn single(zone: &Zone, sum: &Arithmetic, kept: u64, burst: Burst<'_>) -> Served {
    let Burst {
        request,
        kernel,
        list,
        others,
    } = burst;
    let pages = |above| Pages {
        above,
        missing: sum.missing(),
        above_high: zone
            .free
            .saturating_sub(zone.free_cma + kept + zone.high + sum.protection),
        free: zone.free.saturating_sub(zone.free_cma + kept),
        last: if kernel.has_last_resort() {
            kept.min(zone.free)
        } else {
            0
        },
    };
    let now = list::served(pages(sum.above), list, others);
    let mut least = pages(least_above(zone, sum, request, kernel));
    let unknown = most_unknown_highatomic(zone).min(least.free);
    least.free -= unknown;
    if kernel.has_last_resort() {
        least.last += unknown;
    }
    let mut most = pages(sum.above + most_released_highatomic(zone, sum.highatomic));
    most.free += most_released_highatomic(zone, kept);

    Served {
        estimate: now.estimate,
        at_least: list::served(least, list, others).at_least,
        at_most: list::served(most, list, others).at_most,
    }
}

/// Requests of high orders. In the fast path they take blocks from the list of the CPU, in the slow
/// path from the zone.
fn high_order(
    zone: &Zone,
    sum: &Arithmetic,
    blocks: Option<Blocks>,
    kept: u64,
    burst: Burst<'_>,
) -> Served {
    let Burst {
        request,
        kernel,
        list,
        others,
    } = burst;
    let in_lists = kernel.has_in_lists(request.order);
    let size = 1 << request.order;
    let requests = |above: u64| above.div_ceil(size);
    // Without buddyinfo only the watermark is known.
    let blocks = blocks.unwrap_or(Blocks {
        certain: 0,
        possible: u64::MAX,
        without_boost: u64::MAX,
        highatomic: 0,
        exact: false,
    });
    // Only atomic requests get blocks that are kept for these.
    let blocks_kept = if request.gfp == Gfp::Atomic {
        0
    } else {
        blocks.highatomic
    };
    let (certain, possible) = (blocks.certain.saturating_sub(blocks_kept), blocks.possible);
    let refill = if in_lists {
        (list.batch >> request.order).max(2)
    } else {
        1
    };

    let released = most_released_highatomic(zone, sum.highatomic);
    let most_above = others.most_above(sum.above + released, sum.missing());
    // A page that comes back can complete a block, if the rest of the block is free.
    let most_blocks = possible
        .saturating_add(others.in_lists)
        .min((zone.free + others.in_lists + others.drift + list.threshold) >> request.order);

    if most_above == 0 || most_blocks == 0 {
        return Served::default();
    }
    let (unboosted, boosted) = (requests(sum.above), requests(sum.above - sum.boost));
    let without_boost = blocks.without_boost.saturating_sub(blocks_kept);
    let above_watermark = if unboosted <= without_boost {
        unboosted
    } else {
        boosted.max(without_boost.min(unboosted))
    };
    let low = zone.low + sum.protection + zone.free_cma + kept;
    let mut estimate = above_watermark;
    if certain <= above_watermark {
        // The last blocks go into the list. If the zone is still above its low watermark, no
        // request gets them, as the zone has no other large block.
        let above_low = zone.free.saturating_sub(low) > certain.saturating_mul(size);
        let stranded = if above_low && blocks.highatomic == 0 {
            certain.saturating_sub(1) % refill
        } else {
            0
        };
        estimate = certain - stranded;
    }
    let unknown_blocks = match request.gfp {
        Gfp::Atomic => 0,
        Gfp::Nowait if zone.highatomic_is_unknown() || zone.highatomic_is_old => {
            (most_reserved(zone) >> request.order).saturating_sub(blocks.highatomic)
        }
        Gfp::Nowait => 0,
    };
    let above = least_above(zone, sum, request, kernel);
    let at_least = requests(above.saturating_sub(list.threshold + others.drift))
        .min(certain.saturating_sub(unknown_blocks))
        .saturating_sub(refill - 1);
    // When a page is freed to a full list, the list gives pages back to the zone. They can form
    // blocks, even of orders that no list holds.
    let in_list = if request.order > LIST_ORDER {
        list.count.min(list::most_left_over(list)) >> request.order
    } else {
        list.count >> request.order
    };
    let at_most = requests(most_above + list.threshold).min(most_blocks) + in_list;

    Served {
        estimate: estimate.clamp(at_least, at_most.max(at_least)),
        at_least,
        at_most: at_most.max(at_least),
    }
}

/// Returns whether the burst may take pages from the zone.
pub fn may_use(zone: &Zone, request: Request) -> bool {
    zone.is_populated() && zone.place <= request.place
}

#[cfg(test)]
mod tests {
    use super::{arithmetic, may_use, Blocks, Gfp, Kernel, Request};
    use crate::memory::zoneinfo::{parse, tests::TEXT, Zone};

    const NEW: Kernel = Kernel {
        version: (7, 3),
        release: 0,
        boost_factor: 0,
    };

    fn request(gfp: Gfp, order: u32) -> Request {
        Request {
            gfp,
            order,
            place: 2,
            cpu: None,
        }
    }

    #[test]
    fn atomic_requests_use_five_eighths_of_the_min_watermark() {
        let zones = parse(TEXT);
        let (sum, served) = arithmetic(&zones[1], None, request(Gfp::Atomic, 0), NEW);
        // The boost of 64 does not count: (7168 - 64) * 3 / 8.
        assert_eq!((sum.min, sum.out_of_reach), (7104, 2664));
        assert_eq!(sum.above, 101_320 - 1024 - 2664);
        // The pages in the lists of both CPUs.
        assert_eq!(served.at_most, sum.above + 190 + 17);
        assert!(served.at_least < sum.above && sum.above - 63 <= served.estimate);
    }

    #[test]
    fn requests_without_access_keep_the_whole_watermark() {
        let zones = parse(TEXT);
        let (sum, _) = arithmetic(&zones[1], None, request(Gfp::Nowait, 0), NEW);
        assert_eq!((sum.min, sum.out_of_reach, sum.highatomic), (7168, 7168, 0));
        let old = Kernel {
            version: (6, 1),
            ..NEW
        };
        let (sum, _) = arithmetic(&zones[1], None, request(Gfp::Nowait, 0), old);
        assert_eq!(sum.above, 101_320 - 1024 - 512 - 7168);
    }

    #[test]
    fn a_low_zone_keeps_its_protection() {
        let zones = parse(TEXT);
        let (sum, served) = arithmetic(&zones[0], None, request(Gfp::Atomic, 0), NEW);
        assert_eq!(sum.protection, 955);
        assert_eq!(sum.above, 2816 - 42 - 955);
        assert_eq!((sum.drift, served.at_most), (4, sum.above + 4));
        assert!(may_use(&zones[0], request(Gfp::Atomic, 0)));
        assert!(!may_use(&zones[2], request(Gfp::Atomic, 0)));
    }

    #[test]
    fn the_cpu_decides_about_the_list() {
        let mut zones = parse(TEXT);
        (zones[1].lists[0].threshold, zones[1].lists[1].threshold) = (20, 30);
        let on = |cpu| Request {
            cpu: Some(cpu),
            ..request(Gfp::Atomic, 0)
        };
        let lists = |cpu| {
            let (sum, served) = arithmetic(&zones[1], None, on(cpu), NEW);
            // The lists of other CPUs can come back.
            assert_eq!(served.at_most, sum.above + 190 + 17 + 20 + 30);
            (
                sum.in_list,
                sum.drift,
                sum.in_other_lists,
                sum.drift_of_others,
            )
        };
        assert_eq!(lists(0), (190, 20, 17, 30));
        assert_eq!(lists(1), (17, 30, 190, 20));
    }

    #[test]
    fn high_orders_need_large_blocks() {
        let mut zones = parse(TEXT);
        let blocks = |count| {
            Some(Blocks {
                certain: count,
                possible: count,
                without_boost: count,
                highatomic: 0,
                exact: true,
            })
        };
        let order_2 = request(Gfp::Atomic, 2);
        let (sum, served) = arithmetic(&zones[1], blocks(11), order_2, NEW);
        assert_eq!(sum.blocks, Some(11));
        // Of 11 blocks, all could be in the list of a CPU in the end, as a refill takes 15.
        assert_eq!((served.estimate, served.at_least), (1, 0));
        // Each page that comes back from the other list can complete a block.
        assert_eq!(served.at_most, 11 + 190 + 17 / 4);
        let (_, served) = arithmetic(&zones[0], blocks(0), order_2, NEW);
        assert_eq!(served.at_most, 0);
        // With enough of them, the watermark decides.
        let (sum, served) = arithmetic(&zones[1], blocks(50_000), order_2, NEW);
        assert_eq!(served.estimate, sum.above.div_ceil(4));
        // No list has larger blocks, but pages that a list gives back can form some.
        let order_4 = request(Gfp::Atomic, 4);
        let (_, served) = arithmetic(&zones[1], blocks(11), order_4, NEW);
        assert_eq!((served.at_least, served.at_most), (11, 11 + 190 + 17 / 16));
        zones[1].lists.pop();
        let (_, served) = arithmetic(&zones[1], blocks(11), order_4, NEW);
        assert_eq!((served.at_least, served.at_most), (11, 11 + 62 / 16));
    }

    #[test]
    fn kept_blocks_are_for_atomic_requests() {
        let zones = parse(TEXT);
        let blocks = Some(Blocks {
            certain: 100,
            possible: 100,
            without_boost: 100,
            highatomic: 40,
            exact: true,
        });
        let kept = |gfp| {
            let (sum, served) = arithmetic(&zones[1], blocks, request(gfp, 2), NEW);
            (sum.blocks_kept, served.at_least)
        };
        assert_eq!(kept(Gfp::Atomic), (Some(0), 100 - 14));
        assert_eq!(kept(Gfp::Nowait), (Some(40), 60 - 14));
    }

    #[test]
    fn a_stable_release_can_have_newer_rules() {
        let zones = parse(TEXT);
        let above = |release| {
            let kernel = Kernel {
                version: (6, 1),
                release,
                ..NEW
            };
            arithmetic(&zones[1], None, request(Gfp::Nowait, 0), kernel)
                .0
                .above
        };
        assert_eq!(above(116), above(115) + 512);
        assert_eq!(above(0), above(115));
    }

    #[test]
    fn old_kernels_hide_what_is_reserved() {
        let mut zone = parse(TEXT).remove(1);
        let old = Kernel {
            version: (6, 1),
            ..NEW
        };
        let ask = |zone: &Zone, gfp, kernel| arithmetic(zone, None, request(gfp, 0), kernel).1;
        (zone.reserved_highatomic, zone.free_highatomic) = (Some(0), None);
        let known = ask(&zone, Gfp::Nowait, old);
        zone.reserved_highatomic = None;
        let hidden = ask(&zone, Gfp::Nowait, old);
        assert_eq!(hidden.at_least, known.at_least - 2440 - 1024);
        assert_eq!(
            (hidden.estimate, hidden.at_most),
            (known.estimate, known.at_most)
        );
        // Reserved pages are above the limit of an atomic request, but no refill takes them.
        let atomic = ask(&zone, Gfp::Atomic, old);
        assert_eq!(atomic.at_least, 101_320 - 1024 - 2440 - 1024);
        // The counted blocks can be too few. All their pages are subtracted, free or not.
        (zone.reserved_highatomic, zone.free_highatomic) = (Some(1024), Some(7));
        zone.highatomic_from_pagetypeinfo = true;
        let (sum, served) = arithmetic(&zone, None, request(Gfp::Nowait, 0), old);
        assert_eq!(sum.highatomic, 1024);
        assert_eq!(served.at_least, 101_320 - 1024 - 7168 - 2440 - 1024 - 62);
        // An earlier look may have seen a reserve that is gone or larger now.
        zone.highatomic_is_old = true;
        let old_look = arithmetic(&zone, None, request(Gfp::Nowait, 0), old).1;
        assert_eq!(old_look.estimate, served.estimate);
        assert_eq!(old_look.at_least, served.at_least);
        assert_eq!(old_look.at_most, served.at_most + 1024);
        let atomic = ask(&zone, Gfp::Atomic, old);
        assert_eq!(atomic.at_least, 101_320 - 1024 - 2440 - 1024);
        zone.highatomic_is_old = false;
        // Refills take all pages except the free ones that are kept.
        (zone.min, zone.boost) = (0, 0);
        let atomic = ask(&zone, Gfp::Atomic, old);
        assert_eq!(atomic.at_most, 101_320 - 1024 - 7 + 190 + 17);
    }

    #[test]
    fn lists_of_old_kernels_hold_single_pages() {
        let zones = parse(TEXT);
        let blocks = Blocks {
            certain: 11,
            possible: 11,
            without_boost: 11,
            highatomic: 0,
            exact: true,
        };
        let old = Kernel {
            version: (5, 10),
            ..NEW
        };
        let (_, served) = arithmetic(&zones[1], Some(blocks), request(Gfp::Atomic, 2), old);
        assert_eq!(
            (served.at_least, served.estimate, served.at_most),
            (11, 11, 11 + 190 + 17 / 4)
        );
    }

    #[test]
    fn boosts_cost_high_orders() {
        let zones = parse(TEXT);
        let boosting = Kernel {
            boost_factor: 15_000,
            ..NEW
        };
        let blocks = Blocks {
            certain: 50_000,
            possible: 50_000,
            without_boost: 100,
            highatomic: 0,
            exact: true,
        };
        let (sum, served) = arithmetic(&zones[1], Some(blocks), request(Gfp::Atomic, 2), boosting);
        // Up to 1.5 times the high watermark without its boost, of which 3/8 are out of reach.
        let most = (10_752 - 64) * 3 / 2;
        assert_eq!(sum.boost, (7168 - 64 + most) * 3 / 8 - 7168 * 3 / 8);
        assert_eq!(served.estimate, (sum.above - sum.boost).div_ceil(4));
    }
}
