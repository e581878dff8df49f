// SPDX-License-Identifier: GPL-2.0

//! Filling a pool ahead of requests, in task context.

use super::{
    Pages,
    Pool, //
};
use crate::{
    ffi::{
        context::Task,
        cpu::online::{
            possible,
            HotplugGuard, //
        }, //
    },
    page::{
        ExclusivePages,
        GfpKernel,
        MayFail,
        NoWarn,
        Place, //
    },
    pool::{
        events,
        exclusion::good,
        logic::{
            request::Tier,
            schedule::Refilled,
            target::Target, //
        }, //
    }, //
};
use kernel::{
    prelude::*,
    sync::atomic::Relaxed, //
};

/// How many pages of one pool are filled in one turn, before the turn of other pools.
const CHUNK: usize = 64;

impl Pool {
    /// Fills each online CPU's cache up to `per_cpu` pages (or its capacity), and the reserve up to
    /// its size. Task context only, may sleep and reclaim.
    ///
    /// Does not report failures. The refill thread goes on filling the reserve. A cache is filled
    /// when requests find it empty.
    pub fn prime(&self, cx: &Task, per_cpu: usize) {
        self.fill_caches(cx, per_cpu, |_| true);
        // Not until it is full: others may take pages out as fast as they come in.
        for _ in 0..self.reserve.target().pages().div_ceil(CHUNK) {
            if self.fill_reserve(cx, CHUNK) != Refilled::Partly {
                break;
            }
        }
        self.call_manager();
    }

    /// Makes the refill thread prime the caches with `per_cpu` pages at its next turn. Any context.
    pub(in crate::pool) fn prime_later(&self, per_cpu: usize) {
        self.to_prime.store(per_cpu as u32, Relaxed);
    }

    /// Fills a bounded part of what is missing. Task context only, may sleep and reclaim.
    ///
    /// A cache that a request found empty is filled to one half, so that pages that come back fit,
    /// too. The emergency budget is restored when the reserve is full.
    pub(in crate::pool) fn refill(&self, cx: &Task) -> Refilled {
        let half = self.cache.capacity().div_ceil(2);
        let mut starved = self.fill_caches(cx, half, |cpu| self.counts.take_hunger(cpu));
        let to_prime = self.to_prime.xchg(0, Relaxed);
        if self.fill_caches(cx, to_prime as usize, |_| true) {
            starved = true;
            // Unless somebody has asked anew meanwhile.
            let _ = self.to_prime.cmpxchg(0, to_prime, Relaxed);
        }

        let refilled = self.fill_reserve(cx, CHUNK);
        if starved {
            return Refilled::Starved;
        }
        if refilled == Refilled::Full && self.emergency.is_touched() {
            if !self.ground_is_firm(cx) {
                // Nobody may call again before the next storm, which needs the budget.
                return Refilled::Starved;
            }
            self.emergency.restore();
        }
        refilled
    }

    /// Returns until when the refill thread skips this pool, by the clock of that thread.
    pub(in crate::pool) fn rests_until(&self) -> u64 {
        self.rests_until.load(Relaxed)
    }

    /// Sets [`Self::rests_until`]. For the refill thread only.
    pub(in crate::pool) fn set_rests_until(&self, time: u64) {
        self.rests_until.store(time, Relaxed);
    }

    fn fill_reserve(&self, cx: &Task, chunk: usize) -> Refilled {
        let target: Target = self.reserve.target();
        let wanted = target.wanted(self.reserve.level(), chunk);

        let mut aside = match wanted {
            0 => KVVec::new(),
            _ => self.exclusion.aside(self.config.order),
        };
        let (mut got, mut starved) = (0, false);
        for _ in 0..wanted {
            let Some(pages) = self.one_for_task(cx, self.config.place, &mut aside) else {
                starved = true;
                break;
            };
            // Pages came back meanwhile: so much the better.
            if self.reserve.fill(pages).is_err() {
                break;
            }
            self.counts.refilled();
            got += 1;
        }
        if wanted != 0 {
            events::refilled(&self.name, Tier::Reserve, wanted, got, target.pages());
        }
        if starved {
            return Refilled::Starved;
        }
        if self.reserve.level() >= target.pages() {
            Refilled::Full
        } else {
            Refilled::Partly
        }
    }

    /// Returns whether memory ran out.
    fn fill_caches(&self, cx: &Task, per_cpu: usize, which: impl Fn(u32) -> bool) -> bool {
        if per_cpu == 0 || self.cache.capacity() == 0 {
            return false;
        }
        let target = per_cpu.min(self.cache.capacity());
        for number in possible().filter(|&number| which(number)) {
            // A CPU that is offline would keep its pages from all others. Whoever waits to take one
            // down, and everybody behind, waits for the pages of one CPU only.
            let hotplug = HotplugGuard::new(cx);
            let Some(cpu) = hotplug.online().find(|cpu| cpu.number() == number) else {
                continue;
            };
            let place = self.config.place.seen_from(cpu);
            let wanted = target.saturating_sub(self.cache.level_of(number));
            let mut aside = self.exclusion.aside(self.config.order);
            let mut starved = false;
            let got = self.cache.refill(number, target, || {
                let pages = self.one_for_task(cx, place, &mut aside);
                starved = pages.is_none();
                pages
            });
            if wanted != 0 {
                events::refilled(&self.name, Tier::Cache, wanted, got, target);
            }
            if starved {
                return true;
            }
        }
        false
    }

    /// Allocates a page with `GFP_KERNEL`, with reclaim but without the OOM killer: a reserve is
    /// not worth a process. Excluded pages go to `aside`.
    fn one_for_task(&self, cx: &Task, place: Place, aside: &mut KVVec<Pages>) -> Option<Pages> {
        let gfp = NoWarn(MayFail(GfpKernel));
        self.exclusion.first_of_many(aside, || {
            good(|| ExclusivePages::alloc(cx, gfp, self.config.shape(), place).ok())
        })
    }

    /// Returns whether an allocation now leaves its zone above the min watermark.
    fn ground_is_firm(&self, cx: &Task) -> bool {
        let mut aside = self.exclusion.aside(self.config.order);
        self.one_for_task(cx, self.config.place, &mut aside)
            .is_some_and(|pages| !pages.zone_below_min())
    }
}
