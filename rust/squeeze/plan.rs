// SPDX-License-Identifier: GPL-2.0

//! The state of a zone and of a CPU's list in which a burst of requests gets so many pages.
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
//! To make a burst get exactly N pages, the refills come as close to N - 1 as they can, and the list
//! has the rest. The zone then has a number of pages above its limit for which it is this refill
//! that is the last one. As there are many such numbers, it does not matter that the zone's counter
//! is not exact.

/// The list of a CPU.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// The pages in it that the burst can get.
    pub(super) pages: u64,
    /// Its other pages.
    pub(super) others: u64,
    /// The pages that it may hold.
    pub(super) high: u64,
    /// The pages that a refill takes at first.
    pub(super) batch: u64,
    /// How often the next refill is doubled.
    pub(super) scale: u32,
    /// How often refills double at most.
    pub(super) max_scale: u32,
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
    /// Returns the refills of a list that has no pages for the burst any more. The rules are those
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
    fn next(&mut self) -> u64 {
        let wanted = self.batch << self.scale;

        if wanted <= self.most && self.scale < self.max_scale {
            self.scale += 1;
        }
        wanted.min(self.most)
    }
}

/// Returns how many pages a burst gets from a zone with `above` pages above its limit, those in the
/// list not included.
pub(super) fn from_zone(above: i64, list: &List) -> u64 {
    let Ok(mut left @ 1..) = u64::try_from(above) else {
        return 0;
    };
    let mut refills = Refills::of(list);
    let mut served = 0;

    loop {
        let refill = refills.next();
        if refill >= left {
            return served + 1;
        }
        served += refill;
        left -= refill;
    }
}

/// Returns how many pages a burst gets.
pub(super) fn burst(above: i64, list: &List) -> u64 {
    match from_zone(above, list) {
        // At its limit the zone serves nothing, and neither does the list.
        0 => 0,
        served => served + list.pages,
    }
}

/// The state in which a burst gets so many pages.
#[derive(Clone, Copy)]
pub(super) struct Aim {
    /// The pages of the zone above its limit: the middle of the range that will do.
    pub(super) above: i64,
    /// The pages in the list.
    pub(super) in_list: u64,
}

/// Returns the state in which a burst gets `pages` pages, which must not be 0.
pub(super) fn aim(pages: u64, list: &List) -> Aim {
    let mut refills = Refills::of(list);
    let mut before = 0;

    loop {
        let refill = refills.next();
        if before + refill >= pages {
            return Aim {
                above: (before + refill.div_ceil(2)) as i64,
                in_list: pages - 1 - before,
            };
        }
        before += refill;
    }
}
