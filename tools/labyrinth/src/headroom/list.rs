// SPDX-License-Identifier: GPL-2.0

//! What the list of a CPU does to a burst of requests of order 0.
//!
//! Requests take pages from the list. When it is empty, a refill takes many pages out of the zone at
//! once. So pages that are in the list when the zone reaches its limit are not served, and pages
//! that are in the list at the beginning are served although they do not count as free. C source:
//! `rmqueue_pcplist()` and `nr_pcp_alloc()` in `mm/page_alloc.c`.

use crate::memory::zoneinfo::CpuList;

/// A refill takes at most two to this power of batches. `CONFIG_PCP_BATCH_SCALE_MAX` is 5, unless
/// somebody has changed it.
const MOST_SCALE: u32 = 5;
/// The size of a sample of the states that cannot be seen.
const SAMPLES: u64 = 8;

/// The state of a zone that matters for a burst. All numbers are pages.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// Pages above the limit of the requests, as the kernel's counter says.
    pub above: u64,
    /// Pages that are missing up to the limit, if none is above it.
    pub missing: u64,
    /// Pages above the high watermark, above which the kernel lets its lists grow.
    pub above_high: u64,
    /// Free pages that a refill can take.
    pub free: u64,
    /// Free pages that only single requests get, when all others are gone.
    pub last: u64,
}

/// What the other CPUs can add to a zone during a burst, although they free nothing. All numbers are
/// pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OtherCpus {
    /// The pages in their lists. These can come back to the zone at any time: the kernel shrinks the
    /// lists of idle CPUs (`decay_pcp_high()`), and drains lists for reclaim and compaction.
    pub in_lists: u64,
    /// How many pages they may have taken or freed that the counter of free pages does not show
    /// yet. The kernel can update the counter at any time.
    pub drift: u64,
}

impl OtherCpus {
    /// Returns the most pages above the limit, if none of them come from the CPU of the burst.
    /// `missing` is by how much the zone is below the limit.
    pub fn most_above(self, above: u64, missing: u64) -> u64 {
        (above + self.in_lists + self.drift).saturating_sub(missing)
    }
}

/// Requests that a burst gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// The mean over what cannot be seen.
    pub estimate: u64,
    /// A lower bound.
    pub at_least: u64,
    /// An upper bound.
    pub at_most: u64,
}

impl Served {
    /// Returns the mean of the estimates, and bounds that hold for all.
    pub fn any_of(all: &[Self]) -> Self {
        let count = all.len().max(1) as u64;

        Self {
            estimate: all.iter().map(|one| one.estimate).sum::<u64>() / count,
            at_least: all.iter().map(|one| one.at_least).min().unwrap_or(0),
            at_most: all.iter().map(|one| one.at_most).max().unwrap_or(0),
        }
    }

    /// Adds the requests that another zone serves.
    pub fn and(self, other: Self) -> Self {
        Self {
            estimate: self.estimate + other.estimate,
            at_least: self.at_least + other.at_least,
            at_most: self.at_most + other.at_most,
        }
    }
}

/// Returns how many requests a burst on the CPU with this list gets.
///
/// What cannot be seen is how many pages of the list are of the type of the requests, how far the
/// list has doubled its refills, and how many pages the CPU has taken or freed that the counter of
/// free pages does not show yet. The bounds hold for all of these, and the estimate is the mean.
pub fn served(zone: Pages, list: &CpuList, others: OtherCpus) -> Served {
    let list = &CpuList {
        batch: list.batch.max(1),
        ..*list
    };
    let drift = list.threshold;
    let largest = largest_refill(list);
    let mut sum = 0;
    let mut count = 0;

    for in_list in (0..=list.count).step_by(list.count.div_ceil(SAMPLES).max(1) as usize) {
        for scale in [0, most_scale(list) / 2, most_scale(list)] {
            for taken in [0, drift] {
                sum += u128::from(simulate(zone, list, in_list, scale, taken));
                count += 1;
            }
        }
    }
    let estimate = u64::try_from(sum / count).unwrap_or(u64::MAX);
    let most_above = others.most_above(zone.above, zone.missing);
    if most_above == 0 {
        return Served::default();
    }
    let all_drift = drift + others.drift;
    let at_least = zone
        .above
        .saturating_sub(all_drift + largest - 1)
        .max(u64::from(zone.above > others.drift))
        .min((zone.free + zone.last).saturating_sub(all_drift));
    let most_free = zone.free + zone.last + others.in_lists + all_drift;
    let at_most = list.count + (most_above + drift).min(most_free);

    Served {
        estimate: estimate.clamp(at_least, at_most),
        at_least,
        at_most,
    }
}

/// Returns how far a list doubles its refills: kernels before 6.7 do not.
fn most_scale(list: &CpuList) -> u32 {
    if list.bounds.is_some() {
        MOST_SCALE
    } else {
        0
    }
}

/// Returns the most pages of the last refill that can be left in the list when its zone is at the
/// limit.
pub fn most_left_over(list: &CpuList) -> u64 {
    largest_refill(list) - 1
}

/// Returns the largest refill that a burst can cause.
fn largest_refill(list: &CpuList) -> u64 {
    let high = list.bounds.map_or(list.high, |(_, max)| max.max(list.high));
    let most = high.saturating_sub(list.batch).max(list.batch);

    (list.batch << most_scale(list)).min(most).max(2)
}

/// Simulates a burst. `in_list` pages of the list are of the right type, refills have doubled
/// `scale` times, and the CPU has `taken` pages that the counter does not show yet.
fn simulate(mut zone: Pages, list: &CpuList, in_list: u64, mut scale: u32, taken: u64) -> u64 {
    // Pages of other types stay in the list.
    let others = list.count - in_list;
    let (min, max) = list.bounds.unwrap_or((list.high, list.high));
    let mut high = list.high.clamp(min, max);
    let mut uncounted = taken;
    let mut served = 0;

    if zone.above == 0 {
        return 0;
    }
    served += in_list;
    loop {
        let mut refill = 1;
        let mut steady = true;

        if high >= list.batch {
            refill = list.batch << scale;
            if min != max && zone.above_high > 0 {
                let before = high;
                high = (high + refill).min(max);
                steady &= high == before;
            }
            if list.bounds.is_some() {
                let most = high
                    .saturating_sub(others)
                    .saturating_sub(list.batch)
                    .max(list.batch);
                if refill <= most && scale < MOST_SCALE {
                    scale += 1;
                    steady = false;
                }
                refill = refill.min(most);
            }
            if refill > 1 {
                refill = refill.max(2);
            }
        }
        // Skip refills that are all the same, but stop before the limit and the high watermark.
        let far = zone
            .above
            .min(zone.free)
            .min(match zone.above_high {
                0 => u64::MAX,
                above => above,
            })
            .saturating_sub(list.threshold + 1)
            / refill;
        let times = if steady { far.saturating_sub(2) } else { 0 } + 1;
        let got = (refill * times).min(zone.free);

        if got == 0 {
            return served + zone.last.min(zone.above);
        }
        zone.free -= got;
        uncounted += got;
        let counted = uncounted - uncounted % (list.threshold + 1);
        uncounted -= counted;
        zone.above = zone.above.saturating_sub(counted);
        zone.above_high = zone.above_high.saturating_sub(counted);
        if zone.above == 0 {
            return served + 1;
        }
        served += got;
    }
}

#[cfg(test)]
mod tests {
    use super::{served, simulate, OtherCpus, Pages};
    use crate::memory::zoneinfo::CpuList;
    use proptest::prelude::*;

    const LIST: CpuList = CpuList {
        cpu: 0,
        count: 0,
        high: 500,
        batch: 63,
        bounds: Some((500, 500)),
        threshold: 0,
    };

    const ALONE: OtherCpus = OtherCpus {
        in_lists: 0,
        drift: 0,
    };

    fn pages(above: u64) -> Pages {
        Pages {
            above,
            missing: 0,
            above_high: 0,
            free: above + 1000,
            last: 0,
        }
    }

    #[test]
    fn the_last_refill_is_lost() {
        // Refills of 63, 126 and 252 pages, then of 500 - 63.
        assert_eq!(simulate(pages(63), &LIST, 0, 0, 0), 1);
        assert_eq!(simulate(pages(64), &LIST, 0, 0, 0), 63 + 1);
        assert_eq!(simulate(pages(63 + 126 + 252 + 1), &LIST, 0, 0, 0), 442);
        assert_eq!(simulate(pages(441 + 437), &LIST, 0, 0, 0), 442);
        assert_eq!(simulate(pages(441 + 438), &LIST, 0, 0, 0), 441 + 437 + 1);
    }

    #[test]
    fn pages_in_the_list_are_served_first() {
        let list = CpuList { count: 100, ..LIST };
        assert_eq!(simulate(pages(1), &list, 100, 0, 0), 101);
        assert_eq!(simulate(pages(0), &list, 100, 0, 0), 0);
        // What others keep in the list makes refills smaller.
        assert_eq!(simulate(pages(1000), &list, 0, 5, 0), 337 * 2 + 1);
    }

    #[test]
    fn the_counter_lags_behind() {
        let list = CpuList {
            threshold: 99,
            ..LIST
        };
        // The first refill is not seen, so there is a second one.
        assert_eq!(simulate(pages(63), &list, 0, 0, 0), 64);
        assert_eq!(simulate(pages(63), &list, 0, 0, 99), 1);
    }

    #[test]
    fn old_kernels_do_not_double() {
        let list = CpuList {
            bounds: None,
            ..LIST
        };
        assert_eq!(simulate(pages(630), &list, 0, 0, 0), 9 * 63 + 1);
        let bounds = served(pages(630), &list, ALONE);
        assert_eq!((bounds.at_least, bounds.at_most), (568, 630));
        assert_eq!(bounds.estimate, 568);
    }

    #[test]
    fn lists_of_other_cpus_can_come_back() {
        let others = OtherCpus {
            in_lists: 300,
            drift: 7,
        };
        let (alone, bounds) = (
            served(pages(5000), &LIST, ALONE),
            served(pages(5000), &LIST, others),
        );
        assert_eq!(bounds.estimate, alone.estimate);
        assert_eq!(bounds.at_least, alone.at_least - 7);
        assert_eq!(bounds.at_most, alone.at_most + 300 + 7);
        // They can lift a zone above its limit.
        let below = |missing| Pages {
            missing,
            ..pages(0)
        };
        let list = CpuList { count: 9, ..LIST };
        let bounds = served(below(305), &list, others);
        assert_eq!((bounds.at_least, bounds.estimate), (0, 0));
        assert_eq!(bounds.at_most, 9 + 2);
        assert_eq!(served(below(307), &list, others).at_most, 0);
    }

    #[test]
    fn pages_kept_for_high_orders_come_last() {
        let zone = Pages {
            above: 500,
            missing: 0,
            above_high: 0,
            free: 200,
            last: 50,
        };
        assert_eq!(simulate(zone, &LIST, 0, 0, 0), 200 + 50);
    }

    #[test]
    fn the_counter_may_show_pages_that_are_gone() {
        let zone = Pages {
            above: 5000,
            missing: 0,
            above_high: 0,
            free: 200,
            last: 0,
        };
        let list = CpuList {
            threshold: 99,
            ..LIST
        };
        assert_eq!(served(zone, &list, ALONE).at_least, 101);
    }

    proptest! {
        #[test]
        fn every_simulation_is_within_the_bounds(
            above in 0u64..20_000, high in 0u64..3000, grows in 0u64..3000, batch in 1u64..64,
            count in 0u64..2000, share in 0u64..=100, scale in 0u32..=5, threshold in 0u64..126,
            taken in 0u64..=100, above_high in 0u64..20_000, doubles: bool,
        ) {
            let list = CpuList {
                cpu: 0, count, high, batch, threshold,
                bounds: doubles.then_some((high, high + grows)),
            };
            let scale = if doubles { scale } else { 0 };
            let zone = Pages {
                above, missing: 0, above_high: above_high.min(above), free: above + 5000, last: 0,
            };
            let bounds = served(zone, &list, ALONE);
            let one = simulate(zone, &list, count * share / 100, scale, threshold * taken / 100);
            prop_assert!(bounds.at_least <= one && one <= bounds.at_most, "{one} {bounds:?}");
            prop_assert!(bounds.at_least <= bounds.estimate && bounds.estimate <= bounds.at_most);
        }

        #[test]
        fn skipping_changes_nothing(above in 0u64..200_000, scale in 0u32..=5, threshold in 0u64..126) {
            // The same burst with so little skipped that it is nothing.
            let list = CpuList { threshold, ..LIST };
            let jump = simulate(pages(above), &list, 0, scale, 0);
            let mut left = above;
            let (mut uncounted, mut total, mut scale) = (0, 0, scale);
            let slow = loop {
                if left == 0 { break total; }
                let mut refill = 63u64 << scale;
                if refill <= 437 && scale < 5 { scale += 1; }
                refill = refill.min(437);
                uncounted += refill;
                let counted = uncounted - uncounted % (threshold + 1);
                uncounted -= counted;
                if left <= counted { break total + 1; }
                left -= counted;
                total += refill;
            };
            prop_assert_eq!(jump, slow);
        }
    }
}
