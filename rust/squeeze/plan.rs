// SPDX-License-Identifier: GPL-2.0

//! Computes for which state of a zone and of a CPU's list a burst gets a wanted number of pages.
//!
//! A burst takes the pages in the list of its CPU, then causes refills. Each refill moves pages from
//! the zone to the list, until the zone is at its limit. Then the next request fails, even if the
//! list has pages left. So the last refill serves one request, however large it is, and the sizes
//! of the refills before it are known:
//!
//! ```text
//!   pages of the burst = pages in the list + all refills but the last + 1
//! ```
//!
//! For a burst of exactly N pages, there are as many refills before the last one as fit into N - 1
//! pages, and the list holds the rest. Which refill is the last one depends on the number of pages
//! that the zone has above its limit. A whole range of numbers leads to the same refill, so the
//! zone's counter need not be exact.

/// While kswapd reclaims memory, a list may keep so many batches of freed pages (`nr_pcp_high()`).
const WHILE_RECLAIMING: u64 = 4;

/// The list of a CPU.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// The pages in the list that the burst can get.
    pub(super) pages: u64,
    /// The other pages in the list.
    pub(super) others: u64,
    /// The most pages that the list may hold.
    pub(super) high: u64,
    /// The size of a refill that is not doubled.
    pub(super) batch: u64,
    /// The number of times that the next refill is doubled.
    pub(super) scale: u32,
    /// The most times that a refill is doubled.
    pub(super) max_scale: u32,
    /// The most pages that the CPU may take or free before the zone's counter shows it.
    pub(super) drift: u64,
}

/// The sizes of the refills in a burst.
struct Refills {
    batch: u64,
    scale: u32,
    max_scale: u32,
    /// No refill is larger than this.
    most: u64,
}

impl Refills {
    /// Returns the refills of a list without pages for the burst. The rules are those
    /// of `nr_pcp_alloc()` in a zone below its high watermark.
    fn of(list: &List) -> Self {
        let batch = list.batch.max(1);

        Self {
            batch,
            scale: list.scale,
            max_scale: list.max_scale,
            most: if list.high < batch {
                1
            } else {
                list.high.saturating_sub(list.others + batch).max(batch)
            },
        }
    }

    /// Returns the size of the next refill.
    fn size(&self) -> u64 {
        (self.batch << self.scale).min(self.most)
    }

    /// Returns whether the refill after the next one will be larger.
    fn grows(&self) -> bool {
        self.batch << self.scale <= self.most && self.scale < self.max_scale
    }

    /// Counts refills, as long as they have at most `left` pages in all. If each refill is larger
    /// than the one before, this counts one of them, and otherwise all. Returns their pages, or
    /// `None` if the next refill is larger than `left`.
    ///
    /// So the number of calls for a burst depends on `max_scale`, and not on the number of pages.
    fn next_within(&mut self, left: u64) -> Option<u64> {
        let refill = self.size();
        let times = left / refill;

        if times == 0 {
            return None;
        }
        if self.grows() {
            self.scale += 1;
            return Some(refill);
        }
        Some(times * refill)
    }
}

/// Returns how many pages a burst gets from a zone with `above` pages above its limit, not counting
/// the pages in the list.
pub(super) fn from_zone(above: i64, list: &List) -> u64 {
    let Ok(above @ 1..) = u64::try_from(above) else {
        return 0;
    };
    let mut refills = Refills::of(list);
    let mut served = 0;

    // The last refill takes the zone to its limit, so there is a page left for it.
    while let Some(pages) = refills.next_within(above - 1 - served) {
        served += pages;
    }
    served + 1
}

/// Returns how many pages a burst gets.
pub(super) fn burst(above: i64, list: &List) -> u64 {
    match from_zone(above, list) {
        // At its limit the zone serves nothing, and neither does the list.
        0 => 0,
        served => served + list.pages,
    }
}

/// The state in which a burst gets a wanted number of pages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    /// The least suitable number of pages that the zone has above its limit.
    pub(super) least: i64,
    /// The largest suitable number of these pages.
    pub(super) most: i64,
    /// The pages in the list.
    pub(super) in_list: u64,
}

impl Aim {
    /// Returns the number of pages above the limit up to which to free blocks of `block` pages. If
    /// the range is wide enough, the last block does not exceed it.
    pub(super) fn above(&self, block: i64) -> i64 {
        (self.least + self.most - block)
            .div_euclid(2)
            .max(self.least)
    }

    /// Returns whether a zone with `above` pages above its limit is in the upper half of the range,
    /// or beyond it. Before the next check, others may free as many pages as are left in the range.
    pub(super) fn is_high(&self, above: i64) -> bool {
        above > self.most - self.width() / 2
    }

    /// Returns the number of pages above the limit down to which to take pages that others have
    /// freed. Most of the range lies above it, because others go on freeing pages.
    pub(super) fn low(&self) -> i64 {
        self.most - self.width() * 3 / 4
    }

    /// Returns the width of the range. For bursts without pages, only its end matters.
    fn width(&self) -> i64 {
        if self.least < 0 {
            0
        } else {
            self.most - self.least
        }
    }
}

/// Returns the state in which a burst gets `pages` pages.
///
/// During the burst, the counter of the zone may fall by up to `drift` pages more than the burst
/// takes from the zone. It may also fall by up to twice `drift` pages less, because it can show
/// earlier frees of the CPU late. Others, such as kswapd, may free pages that go to the list, and
/// that makes the last refill smaller. If a refill is too small for these errors, the range is that
/// without them.
pub(super) fn aim(pages: u64, list: &List) -> Aim {
    let mut refills = Refills::of(list);
    let mut before = 0;

    if pages == 0 {
        return Aim {
            least: i64::MIN / 4,
            most: 0,
            in_list: 0,
        };
    }
    while let Some(more) = refills.next_within(pages - 1 - before) {
        before += more;
    }
    let last = refills.size();
    let crowded = Refills::of(&List {
        others: list.others.max(WHILE_RECLAIMING * refills.batch),
        ..*list
    });
    let early = if before == 0 { 0 } else { list.drift };
    let late = 2 * list.drift;
    let (mut least, mut most) = (
        before + 1 + early,
        (before + last.min(crowded.most)).saturating_sub(late),
    );
    if least > most {
        (least, most) = (before + 1, before + last);
    }
    Aim {
        least: least as i64,
        most: most as i64,
        in_list: pages - 1 - before,
    }
}
