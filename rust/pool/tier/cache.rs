// SPDX-License-Identifier: GPL-2.0

//! The per-CPU cache.

use super::{
    Pages,
    TierOps, //
};
use crate::{
    ffi::{
        context::{
            Context,
            Kind,
            Task, //
        },
        cpu::online::{
            possible,
            HotplugGuard, //
        },
        mm::bad_memory,
        percpu::{
            counters::Counter,
            stack::{
                CpuStack,
                Stack, //
            }, //
        }, //
    },
    page::CalledIn,
    pool::{
        call::Call,
        events,
        logic::{
            page_source::PageSource,
            request::Request,
            schedule::Refilled,
            stack::take_in_parts,
            tier::Tier, //
        },
        tiered::CONTEXT,
        Pool,
        PoolConfig, //
    },
    stats::Row, //
};
use core::num::NonZero;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The maximum number of pages in the cache of a CPU.
pub const MAX_CACHE: usize = 1024;

pub(super) static ROWS: [Row<Pool>; 4] = [
    Row::counter(
        "pool_recycle_cached",
        "Pages that came back to a per-CPU cache.",
        &[CONTEXT],
        |pool, [context, ..]| pool.kept(Kind::ALL[context], Tier::Cache),
    ),
    Row::counter(
        "pool_cache_refill_pages",
        "Pages filled into per-CPU caches ahead of requests.",
        &[],
        |pool, _| pool.cache().sum(|counts| &counts.refilled),
    ),
    Row::counter(
        "pool_cache_drain_pages",
        "Pages taken out of per-CPU caches: by the shrinker, of a dead CPU, or as bad memory.",
        &[],
        |pool, _| pool.cache().sum(|counts| &counts.drained),
    ),
    Row::gauge(
        "pool_cached",
        "Pages in the per-CPU caches.",
        &[],
        |pool, _| pool.cache().level(),
    ),
];

/// A stack of pages for each CPU.
///
/// Any context, including interrupts disabled, NMI and PREEMPT_RT. No call waits. If a stack is in
/// use, a request fails as if the stack were empty, and giving back fails as if it were full. A hit
/// touches only memory of its own CPU. Any CPU can refill and drain a stack, one page at a time, so
/// requests hardly ever fail for that reason.
pub struct CpuCache {
    stacks: CpuStack<Pages, CacheCounts>,
    capacity: usize,
    /// The number of pages that the refill thread fills each CPU's stack with at its next turn.
    to_prime: Atomic<u32>,
}

/// Counters of one CPU's cache, written by the holder of the stack.
struct CacheCounts {
    /// Pages handed out, by context.
    hits: [Counter; Kind::COUNT],
    /// Pages taken back, by context.
    recycled: [Counter; Kind::COUNT],
    /// Pages filled in ahead.
    refilled: Counter,
    /// Pages given back to the allocator: by the shrinker, after CPU hot-unplug, or because they
    /// were bad or excluded.
    drained: Counter,
}

impl CacheCounts {
    const fn new() -> Self {
        Self {
            hits: [const { Counter::new(0) }; Kind::COUNT],
            recycled: [const { Counter::new(0) }; Kind::COUNT],
            refilled: Counter::new(0),
            drained: Counter::new(0),
        }
    }
}

impl CpuCache {
    /// Makes the tier, without pages. Task context only, may sleep.
    pub(super) fn new(config: &PoolConfig) -> impl PinInit<Self, Error> {
        let capacity = config.cache;
        try_init!(Self {
            stacks: CpuStack::new(capacity, CacheCounts::new)?,
            capacity,
            to_prime: Atomic::new(0),
        }? Error)
    }

    /// Returns how many pages each CPU can keep.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the counters of each CPU, with its number. Any context.
    fn counts(&self) -> impl Iterator<Item = &CacheCounts> {
        self.stacks.shared().map(|(.., counts)| counts)
    }

    /// Returns the sum of a counter over all CPUs. Any context.
    fn sum(&self, counter: impl Fn(&CacheCounts) -> &Counter) -> u64 {
        self.counts().map(|counts| counter(counts).read()).sum()
    }

    /// Returns how many pages are in all stacks, approximately. Any context.
    pub fn level(&self) -> u64 {
        self.stacks.shared().map(|(_, len, _)| len as u64).sum()
    }

    /// Takes up to `wanted` pages at once, passes each to `sink`, and returns how many there were.
    pub(crate) fn get_bulk<C: Context>(
        &self,
        _cx: &C,
        request: &mut Request,
        wanted: usize,
        mut sink: impl FnMut(Pages),
    ) -> usize {
        request.enter(Tier::Cache);
        let good_only = bad_memory::known();
        self.stacks
            .with(|stack, counts| {
                let mut got = 0;
                while got < wanted {
                    let pages = if good_only {
                        top_of_good(stack)
                    } else {
                        stack.pop()
                    };
                    let Some(pages) = pages else { break };
                    sink(pages);
                    got += 1;
                }
                counts.hits[C::KIND as usize].add(got as u64);
                got
            })
            .unwrap_or(0)
    }

    /// Takes pages back, until the stack is full or the next page is not one that `keeps` accepts.
    /// Returns that page, or `None` if all were taken.
    #[inline(always)]
    pub(crate) fn put_bulk<C: Context>(
        &self,
        _cx: &C,
        pages: &mut impl Iterator<Item = Pages>,
        keeps: impl Fn(&Pages) -> bool,
    ) -> Option<Pages> {
        let left = self.stacks.with(|stack, counts| {
            let before = stack.len();
            let left = loop {
                let Some(mut given) = pages.next() else {
                    break None;
                };
                if !keeps(&given) {
                    break Some(given);
                }
                given.uncharge();
                if let Err(given) = stack.push(given) {
                    break Some(given);
                }
            };
            counts.recycled[C::KIND as usize].add((stack.len() - before) as u64);
            left
        });
        // If the stack is in use, no page has been taken.
        left.unwrap_or_else(|| pages.next())
    }

    /// Like [`PageSource::get`], for a request that has already entered this tier.
    #[inline(always)]
    pub(crate) fn get_noted<C: Context>(&self, _cx: &C) -> Option<Pages> {
        self.stacks.with(|stack, counts| {
            let pages = stack.pop()?;
            counts.hits[C::KIND as usize].add(1);
            Some(pages)
        })?
    }

    /// Like [`PageSource::get`], but skips pages that are known to be bad.
    #[cold]
    #[inline(never)]
    pub(crate) fn get_good<C: Context>(&self, _cx: &C, request: &mut Request) -> Option<Pages> {
        request.enter(Tier::Cache);
        self.stacks.with(|stack, counts| {
            let pages = top_of_good(stack)?;
            counts.hits[C::KIND as usize].add(1);
            Some(pages)
        })?
    }

    /// Fills pages from `source` into the stack of a CPU, until it has `target` pages or `source`
    /// has none, and returns how many pages that were. Contexts: those of `source`.
    ///
    /// `source` is called at most `target` times, because others may take pages out as fast as they
    /// come in: for example the shrinker, if `source` reclaims memory. Others can use the stack
    /// during these calls, which may take long.
    fn refill_cpu(
        &self,
        cpu: u32,
        target: usize,
        mut source: impl FnMut() -> Option<Pages>,
    ) -> usize {
        let target = target.min(self.capacity);
        let mut filled = 0;
        for _ in 0..target {
            if self.level_of(cpu) >= target {
                break;
            }
            let Some(pages) = source() else {
                break;
            };
            // The stack is full by now, or in use by code that may be preempted.
            if !self.fill(cpu, pages) {
                break;
            }
            filled += 1;
        }
        filled
    }

    /// Puts a page into the stack of a CPU. Frees the page if the stack is full or in use.
    fn fill(&self, cpu: u32, pages: Pages) -> bool {
        // The closure is called at most once. If it does not take the pages, they are freed here,
        // because freeing takes locks.
        let mut pages = Some(pages);
        self.stacks.with_of(cpu, |stack, counts| {
            if let Some(given) = pages.take() {
                pages = stack.push(given).err();
                counts.refilled.add(pages.is_none().into());
            }
        });
        pages.is_none()
    }

    /// Returns how many pages are in the stack of a CPU, approximately. Any context.
    pub fn level_of(&self, cpu: u32) -> usize {
        self.stacks.len_of(cpu)
    }

    /// Frees up to `wanted` pages of a CPU, online or not, and returns how many. The error has the
    /// number so far, if the stack is in use. Contexts: those in which pages may be freed.
    pub(crate) fn drain(&self, cpu: u32, wanted: usize) -> Result<usize, usize> {
        for drained in 0..wanted {
            let pages = self.stacks.with_of(cpu, |stack, counts| {
                let pages = stack.pop();
                counts.drained.add(pages.is_some().into());
                pages
            });
            // The pages are freed here, as in `fill`.
            match pages {
                Some(Some(_)) => {}
                Some(None) => return Ok(drained),
                None => return Err(drained),
            }
        }
        Ok(wanted)
    }

    /// Frees the bad pages of a CPU, online or not, and returns their number. The error has the
    /// number so far, if the stack is in use. Others can use the stack after each `at_once` pages,
    /// which must not be 0. Contexts: those in which pages may be freed.
    fn drain_bad_of(&self, cpu: u32, at_once: usize) -> Result<usize, usize> {
        take_in_parts(self.level_of(cpu), at_once, |places| {
            self.stacks.with_of(cpu, move |stack, counts| {
                let pages = stack.take_where(places, Pages::is_known_bad);
                counts.drained.add(pages.is_some().into());
                pages
            })
        })
    }

    /// Frees up to `wanted` pages, from each CPU in proportion to what it has, and returns how
    /// many. Contexts: those in which pages may be freed.
    pub(crate) fn shrink(&self, wanted: usize) -> usize {
        let all = self.level() as usize;
        let Some(divisor) = NonZero::new(all) else {
            return 0;
        };
        let wanted = wanted.min(all);
        let mut drained = 0;
        for (cpu, len, _) in self.stacks.shared() {
            let part = (len * wanted + all - 1) / divisor;
            let part = part.min(wanted - drained);
            drained += self.drain(cpu, part).unwrap_or_else(|some| some);
        }
        drained
    }
}

/// Takes the topmost good page. Bad pages stay until [`TierOps::drain_bad`].
#[cold]
#[inline(never)]
fn top_of_good(stack: &mut Stack<'_, Pages>) -> Option<Pages> {
    let pages = stack.take_where(0..usize::MAX, |pages| !pages.is_known_bad());
    if pages.is_none() && stack.len() != 0 {
        bad_memory::found_again();
    }
    pages
}

/// Refilling, in task context.
impl CpuCache {
    /// Makes the refill thread fill each CPU's stack with `per_cpu` pages at its next turn. Any
    /// context.
    pub(in crate::pool) fn prime_later(&self, per_cpu: usize) {
        self.to_prime.store(per_cpu as u32, Relaxed);
    }

    /// Fills the stacks of those CPUs that are online up to `per_cpu` pages, or their capacity.
    /// Returns whether memory ran out.
    fn refill_cpus(
        &self,
        pool: &Pool,
        cx: &Task,
        per_cpu: usize,
        which: impl Fn(u32) -> bool,
    ) -> bool {
        if per_cpu == 0 || self.capacity == 0 {
            return false;
        }
        let target = per_cpu.min(self.capacity);
        for number in possible().filter(|&number| which(number)) {
            // CPUs that are offline get no pages, because they could not use them. The guard delays
            // CPU hotplug, so it is released after each CPU.
            let hotplug = HotplugGuard::new(cx);
            let Some(cpu) = hotplug.online().find(|cpu| cpu.number() == number) else {
                continue;
            };
            let place = pool.config().place.seen_from(cpu);
            let wanted = target.saturating_sub(self.level_of(number));
            let mut aside = pool.aside();
            let mut starved = false;
            let got = self.refill_cpu(number, target, || {
                let pages = pool.one_for_task(cx, place, &mut aside);
                starved = pages.is_none();
                pages
            });
            if wanted != 0 {
                events::refilled(pool.name(), Tier::Cache, wanted, got, target);
            }
            if starved {
                return true;
            }
        }
        false
    }
}

impl TierOps for CpuCache {
    fn served(&self, context: Kind) -> u64 {
        self.sum(|counts| &counts.hits[context as usize])
    }

    fn kept(&self, context: Kind) -> u64 {
        self.sum(|counts| &counts.recycled[context as usize])
    }

    /// Fills stacks that requests found empty to one half, which leaves space for pages that come
    /// back.
    fn refill(&self, pool: &Pool, cx: &Task, before: Refilled) -> Refilled {
        let half = self.capacity.div_ceil(2);
        let mut starved = self.refill_cpus(pool, cx, half, |cpu| pool.counts().take_hunger(cpu));
        let to_prime = self.to_prime.xchg(0, Relaxed);
        if self.refill_cpus(pool, cx, to_prime as usize, |_| true) {
            starved = true;
            // A later `prime_later` may have stored another number.
            let _ = self.to_prime.cmpxchg(0, to_prime, Relaxed);
        }
        if starved {
            Refilled::Starved
        } else {
            before
        }
    }

    fn prime(&self, pool: &Pool, cx: &Task, per_cpu: usize) {
        self.refill_cpus(pool, cx, per_cpu, |_| true);
    }

    fn drain_bad(&self, at_once: usize) -> Result<usize, usize> {
        let (mut taken, mut in_use) = (0, false);
        for cpu in possible() {
            taken += self.drain_bad_of(cpu, at_once).unwrap_or_else(|some| {
                in_use = true;
                some
            });
        }
        if in_use {
            Err(taken)
        } else {
            Ok(taken)
        }
    }
}

impl<C: Context, M: CalledIn<C>> PageSource<Call<'_, C, M>> for CpuCache {
    type Pages = Pages;

    #[inline(always)]
    fn get(&self, call: &Call<'_, C, M>, request: &mut Request) -> Option<Pages> {
        request.enter(Tier::Cache);
        self.get_noted(call.cx)
    }

    #[inline(always)]
    fn put(&self, _call: &Call<'_, C, M>, pages: Pages) -> Result<Tier, Pages> {
        // The closure is called at most once, and leaves the pages here if it cannot keep them.
        let mut pages = Some(pages);
        self.stacks.with(|stack, counts| {
            if let Some(given) = pages.take() {
                match stack.push(given) {
                    Ok(()) => {
                        counts.recycled[C::KIND as usize].add(1);
                    }
                    Err(given) => pages = Some(given),
                }
            }
        });
        pages.map_or(Ok(Tier::Cache), Err)
    }
}
