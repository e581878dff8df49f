// SPDX-License-Identifier: GPL-2.0

//! The held pages: takes them, gives them back, and keeps the headroom of each CPU.
//!
//! All of this runs under a spinlock with bottom halves disabled, so each call does a bounded
//! amount of [`Work`]. At the bound it stops, and the next call continues, by the process or by a
//! timer.

use super::{
    plan::{
        self,
        List, //
    },
    work::Work, //
};
use core::fmt;
use labyrinth::{
    context::SpinLocked,
    mm::{
        has_free_cma,
        Zone, //
    },
    time::Moment,
    Chain,
    ExclusivePages,
    GfpAtomic,
    GfpNoWait,
    Movable,
    NoKswapd,
    NoWarn,
    Place,
    Uninit,
    MAX_ORDER, //
};

/// The lowest order that the lists of the CPUs do not hold.
const BLOCK_ORDER: u32 = 4;
/// With more free pages than this above a limit, there may be large blocks among them.
const MANY: i64 = 4096;
/// The last pages above the limits are taken as drivers take theirs, without `__GFP_MOVABLE`. When
/// they are freed, they go to the lists that serve drivers.
const LAST: u64 = 1024;
/// The stock of blocks for later corrections: `SPARE_BLOCKS`, and `SPARE_TIMES` as many blocks as
/// the headroom needs.
const SPARE_BLOCKS: u64 = 1024;
const SPARE_TIMES: u64 = 8;
/// Freeing so many pages to a list makes its next refill as small as possible. Each freed page
/// halves the number of times that the refill is doubled, and that number is small.
const CALMING: u64 = 8;

/// The parameters of a squeeze.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// The number of pages that a burst on one CPU should get.
    pub(super) headroom: u64,
    /// The most pages to hold.
    pub(super) most: u64,
    /// The time after which all is given back.
    pub(super) nanos: u64,
    /// Whether pages that others have taken are replaced.
    pub(super) refill: bool,
    /// Whether the pages are held even if the kernel runs out of memory.
    pub(super) force: bool,
}

/// The phase of a squeeze.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The process takes pages.
    Taking,
    /// Each CPU keeps the wanted headroom.
    Holding,
    /// The time is over, and all is given back.
    Over,
    /// The kernel has run out of memory, and all is given back.
    OutOfMemory,
}

/// The pages of a squeeze.
pub(super) struct Hold {
    order: Order,
    begin: Moment,
    phase: Phase,
    zone: Zone,
    /// Blocks of `BLOCK_ORDER` from the zone, to raise the number of its free pages.
    stock: Chain,
    /// Larger blocks, and blocks of other zones.
    blocks: Chain,
    singles: Chain,
    /// The order of the next block to take.
    next_order: u32,
    held: u64,
    first: u64,
    later: u64,
    limited: u64,
    refused: u64,
    /// The number of CPUs with a timer.
    cpus: u64,
    /// The number of CPUs that have not reached the wanted headroom yet.
    unsettled: u64,
    /// The number of checks of CPUs that had reached the wanted headroom, and how many found it.
    checks: u64,
    exact: u64,
    least: u64,
    greatest: u64,
}

/// The reason to stop taking pages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A request was refused.
    Refused,
    /// All pages that were wanted are there, or the work of this section is done.
    Enough,
    /// The squeeze holds its most pages.
    Limit,
}

/// The condition to stop taking single pages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// A request is refused.
    Refusal,
    /// The zone has at most so many pages above its limit, and the other zones have none. This
    /// avoids a refusal, which tools would count as a failed allocation.
    Above(i64),
}

impl Hold {
    /// Makes a squeeze that holds nothing. Any context.
    pub(super) fn new(order: Order) -> Self {
        Self {
            order,
            cpus: 1,
            begin: Moment::now(),
            phase: Phase::Taking,
            zone: Zone::preferred(),
            stock: Chain::new(),
            blocks: Chain::new(),
            singles: Chain::new(),
            next_order: MAX_ORDER,
            held: 0,
            first: 0,
            later: 0,
            limited: 0,
            refused: 0,
            unsettled: 0,
            checks: 0,
            exact: 0,
            least: u64::MAX,
            greatest: 0,
        }
    }

    /// Takes some pages. Returns false if there are no more.
    pub(super) fn take(&mut self, cx: &SpinLocked) -> bool {
        if self.phase != Phase::Taking {
            return false;
        }
        let mut work = Work::shared_by(1);
        let end = match self.take_blocks(cx, &mut work) {
            End::Refused => self.take_singles(cx, &mut work, u64::MAX, Until::Refusal),
            end => end,
        };
        self.first = self.held;
        end == End::Enough
    }

    /// Sets the number of CPUs with a timer.
    pub(super) fn set_cpus(&mut self, cpus: u64) {
        self.cpus = cpus;
        self.unsettled = cpus;
    }

    /// Begins to hold the wanted headroom on each CPU.
    pub(super) fn hold(&mut self) {
        if self.phase == Phase::Taking {
            self.phase = Phase::Holding;
        }
    }

    /// Ends the squeeze because the kernel has run out of memory. Returns how many pages are held.
    /// The caller, and the timers, give them back.
    pub(super) fn run_out(&mut self) -> u64 {
        if matches!(self.phase, Phase::Taking | Phase::Holding) {
            self.phase = Phase::OutOfMemory;
        }
        self.held
    }

    /// Called periodically on each CPU. `settled` says whether this CPU has reached the wanted
    /// headroom before. Returns false when there is nothing left to do.
    pub(super) fn tick(&mut self, cx: &SpinLocked, settled: &mut bool) -> bool {
        let is_on = matches!(self.phase, Phase::Taking | Phase::Holding);
        if is_on && Moment::now().nanos_since(self.begin) >= self.order.nanos {
            self.phase = Phase::Over;
        }
        match self.phase {
            Phase::Taking => true,
            Phase::Holding => {
                self.adjust(cx, settled);
                true
            }
            Phase::Over | Phase::OutOfMemory => self.give_back(),
        }
    }

    /// Corrects the headroom of this CPU.
    fn adjust(&mut self, cx: &SpinLocked, settled: &mut bool) {
        let mut work = Work::shared_by(self.cpus);
        let wanted = self.order.headroom;
        let above = self.zone.above_limit();
        let elsewhere = self.zone.above_limit_elsewhere();
        let Some(list) = self.list(cx) else {
            return;
        };
        let aim = plan::aim(wanted, &list);
        let now = plan::burst(above, &list) + elsewhere;

        if *settled {
            self.checks += 1;
            self.exact += u64::from(now == wanted);
            self.least = self.least.min(now);
            self.greatest = self.greatest.max(now);
        }
        if elsewhere != 0 || aim.is_high(above) {
            if self.take_down(cx, &mut work, aim.low()) {
                self.settle(cx, &mut work);
            }
        } else if now > wanted {
            self.trim(cx, &mut work, now - wanted);
        } else if now < wanted && (self.order.refill || !*settled) {
            self.settle(cx, &mut work);
        }
        if !*settled && self.is_right(cx) {
            *settled = true;
            self.unsettled = self.unsettled.saturating_sub(1);
        }
    }

    /// Takes pages that others have freed, until the zone has at most `above` pages above its
    /// limit, and the other zones have none. Returns false if this takes more than one call.
    fn take_down(&mut self, cx: &SpinLocked, work: &mut Work, above: i64) -> bool {
        let before = self.held;
        let many = self.zone.above_limit() > above + MANY
            || self.zone.above_limit_elsewhere() > MANY as u64;
        let end = if many {
            self.take_blocks_again(cx, work)
        } else {
            End::Refused
        };
        let end = if end == End::Refused {
            self.take_singles(cx, work, u64::MAX, Until::Above(above))
        } else {
            end
        };

        self.later += self.held - before;
        self.limited += u64::from(end == End::Limit);
        end == End::Refused
    }

    /// Returns the list of this CPU, or `None` if it is in use.
    fn list(&self, cx: &SpinLocked) -> Option<List> {
        self.zone.list(cx).map(|list| List {
            pages: list.pages,
            others: list.others,
            high: list.high,
            batch: list.batch,
            scale: list.scale,
            max_scale: list.max_scale,
            drift: list.drift,
        })
    }

    /// Returns whether this CPU has the wanted headroom.
    fn is_right(&self, cx: &SpinLocked) -> bool {
        let above = self.zone.above_limit();
        self.list(cx)
            .is_some_and(|list| plan::burst(above, &list) == self.order.headroom)
    }

    /// Gives pages back, and takes pages, so that this CPU gets the wanted headroom. The zone must
    /// be at most a little above its limit.
    fn settle(&mut self, cx: &SpinLocked, work: &mut Work) {
        if self.order.headroom == 0 {
            return;
        }
        self.free_singles(work, CALMING);
        let Some(list) = self.list(cx) else {
            return;
        };
        let aim = plan::aim(self.order.headroom, &list);

        if self.zone.above_limit() < aim.least {
            self.raise(work, aim.above(1 << BLOCK_ORDER));
        }
        let Some(list) = self.list(cx) else {
            return;
        };
        if list.pages > aim.in_list {
            return self.trim(cx, work, list.pages - aim.in_list);
        }
        self.fill(cx, work, list, aim.in_list);
    }

    /// Gives pages back until the zone has at least `above` pages above its limit.
    fn raise(&mut self, work: &mut Work, above: i64) {
        let pages = 1 << BLOCK_ORDER;

        while self.zone.above_limit() < above {
            if self.stock.is_empty() {
                // Single pages first go to the list, which then gives pages to the zone.
                if !self.free_singles(work, pages) {
                    break;
                }
            } else if work.begin(pages) {
                if let Some(block) = self.stock.pop() {
                    self.free(block);
                }
            } else {
                break;
            }
        }
    }

    /// Takes pages out of the list of this CPU. The list must have at least so many.
    fn trim(&mut self, cx: &SpinLocked, work: &mut Work, pages: u64) {
        let before = self.held;
        // The pages come from the list, so the zone stays above its limit.
        self.take_singles(cx, work, pages, Until::Above(0));
        self.later += self.held - before;
    }

    /// Puts pages into the list of this CPU until it has `wanted` of them.
    fn fill(&mut self, cx: &SpinLocked, work: &mut Work, list: List, wanted: u64) {
        let mut list = list;
        // Some of the pages go to lists for other kinds of requests.
        for _ in 0..4 {
            if list.pages >= wanted {
                break;
            }
            self.free_singles(work, wanted - list.pages);
            let Some(now) = self.list(cx) else {
                break;
            };
            list = now;
        }
    }

    /// Takes blocks, first for the stock. `Refused` means that no block is left.
    fn take_blocks(&mut self, cx: &SpinLocked, work: &mut Work) -> End {
        let stock = SPARE_TIMES * self.order.headroom.div_ceil(1 << BLOCK_ORDER) + SPARE_BLOCKS;

        while self.next_order >= BLOCK_ORDER {
            let order = if (self.stock.len() as u64) < stock {
                BLOCK_ORDER
            } else {
                self.next_order
            };
            if !work.begin(1 << order) {
                return End::Enough;
            }
            match self.take_one(cx, order) {
                End::Enough => {}
                _ if order != self.next_order => self.next_order = BLOCK_ORDER,
                _ => self.next_order -= 1,
            }
        }
        End::Refused
    }

    /// Takes blocks that have become free since the last call of `take_blocks`.
    fn take_blocks_again(&mut self, cx: &SpinLocked, work: &mut Work) -> End {
        self.next_order = MAX_ORDER;
        self.take_blocks(cx, work)
    }

    /// Takes a block, without access to the kernel's reserves. With access, high-order requests
    /// would make the kernel reserve page blocks for more of them (`MIGRATE_HIGHATOMIC`).
    fn take_one(&mut self, cx: &SpinLocked, order: u32) -> End {
        if self.held + (1 << order) > self.order.most {
            return End::Limit;
        }
        let gfp = NoKswapd(GfpNoWait);
        let block = if has_free_cma() {
            ExclusivePages::alloc(cx, gfp, order, Place::Any)
        } else {
            ExclusivePages::alloc(cx, Movable(gfp), order, Place::Any)
        };
        let Ok(block) = block else {
            self.refused += 1;
            return End::Refused;
        };
        self.held += 1 << order;
        if order == BLOCK_ORDER && block.is_in(&self.zone) {
            self.stock.push(block);
        } else {
            self.blocks.push(block);
        }
        End::Enough
    }

    /// Takes up to `pages` single pages, as atomic requests do. `Refused` means that there are no
    /// more.
    fn take_singles(&mut self, cx: &SpinLocked, work: &mut Work, pages: u64, until: Until) -> End {
        for _ in 0..pages {
            if self.held >= self.order.most {
                return End::Limit;
            }
            if let Until::Above(above) = until {
                if self.zone.above_limit() <= above && self.zone.above_limit_elsewhere() == 0 {
                    return End::Refused;
                }
            }
            if !work.begin(1) {
                return End::Enough;
            }
            let gfp = NoKswapd(NoWarn(GfpAtomic));
            let last =
                self.zone.above_limit() < LAST as i64 && self.zone.above_limit_elsewhere() < LAST;
            let page = if last || has_free_cma() {
                ExclusivePages::alloc(cx, gfp, 0, Place::Any)
            } else {
                ExclusivePages::alloc(cx, Movable(gfp), 0, Place::Any)
            };
            let Ok(page) = page else {
                self.refused += 1;
                return End::Refused;
            };
            self.held += 1;
            self.singles.push(page);
        }
        End::Enough
    }

    /// Gives single pages of the zone back. They go to the list of this CPU. Returns whether there
    /// were so many.
    fn free_singles(&mut self, work: &mut Work, pages: u64) -> bool {
        let mut others = Chain::new();
        let mut left = pages;

        // Pages of other zones are put aside, which is work, too.
        while left > 0 && work.begin(1) {
            let Some(page) = self.singles.pop() else {
                break;
            };
            if page.is_in(&self.zone) {
                self.free(page);
                left -= 1;
            } else {
                others.push(page);
            }
        }
        while let Some(page) = others.pop() {
            self.blocks.push(page);
        }
        left == 0
    }

    fn free(&mut self, pages: ExclusivePages<Uninit>) {
        self.held -= 1 << pages.order();
    }

    /// Gives some pages back. Returns false when none are left.
    pub(super) fn give_back(&mut self) -> bool {
        let mut work = Work::shared_by(self.cpus);

        loop {
            let Some(pages) = [&mut self.blocks, &mut self.stock, &mut self.singles]
                .into_iter()
                .find_map(Chain::pop)
            else {
                return false;
            };
            let more = work.begin(1 << pages.order());
            self.free(pages);
            if !more {
                return true;
            }
        }
    }

    /// Writes a report, with a name and a value in each line.
    pub(super) fn report(&mut self, cx: &SpinLocked, out: &mut dyn fmt::Write) -> fmt::Result {
        let phase = match self.phase {
            Phase::Taking => "taking",
            Phase::Holding => "holding",
            Phase::Over => "over",
            Phase::OutOfMemory => "out_of_memory",
        };
        let above = self.zone.above_limit();
        let elsewhere = self.zone.above_limit_elsewhere();
        let now = self
            .list(cx)
            .map_or(0, |list| plan::burst(above, &list) + elsewhere);

        writeln!(out, "phase {phase}")?;
        for (name, number) in [
            ("headroom", self.order.headroom),
            ("held", self.held),
            ("first", self.first),
            ("later", self.later),
            ("limited", self.limited),
            ("refused", self.refused),
            ("unsettled", self.unsettled),
            ("checks", self.checks),
            ("exact", self.exact),
            ("now", now),
            ("least", self.least.min(self.greatest)),
            ("greatest", self.greatest),
            ("stock", self.stock.len() as u64),
        ] {
            writeln!(out, "{name} {number}")?;
        }
        Ok(())
    }
}
