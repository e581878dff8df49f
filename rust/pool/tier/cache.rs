// SPDX-License-Identifier: GPL-2.0

//! The per-CPU cache.

use crate::{
    ffi::{
        context::{
            Context,
            Kind, //
        },
        mm::bad_memory,
        percpu::{
            cell::CpuCell,
            counters::Counter, //
        }, //
    },
    page::{
        ExclusivePages,
        Uninit, //
    },
    pool::logic::{
        page_source::PageSource,
        request::{
            Request,
            Tier, //
        },
        stack::{
            take_in_parts,
            Stack, //
        }, //
    },
    pool::tiered::{Pool, CONTEXT},
    stats::Row, //
};
use core::num::NonZero;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The maximum number of pages in the cache of a CPU.
pub const MAX_CACHE: usize = 1024;

pub(in crate::pool) static ROWS: [Row<Pool>; 4] = [
    Row::counter(
        "pool_recycle_cached",
        "Pages that came back to a per-CPU cache.",
        &[CONTEXT],
        |pool, [context, ..]| pool.cache().sum(|counts| &counts.recycled[context]),
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

type Pages = ExclusivePages<Uninit>;
type Slots = KVec<Option<Pages>>;

/// A stack of pages for each CPU.
///
/// Any context, including interrupts disabled, NMI and PREEMPT_RT. Nothing ever waits: a request
/// that finds a stack in use fails, as if the stack were empty. Giving back fails as if it were
/// full. A hit touches only memory of its own CPU. Stacks are refilled and drained from any CPU,
/// one page at a time, so a request hardly ever fails because of that.
pub struct CpuCache {
    cell: CpuCell<Stack<Slots>, CacheCounts>,
    capacity: usize,
}

/// Counters of one CPU's cache, written by the holder of the stack.
struct CacheCounts {
    /// The pages in the stack.
    level: Counter,
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
            level: Counter::new(0),
            hits: [const { Counter::new(0) }; Kind::COUNT],
            recycled: [const { Counter::new(0) }; Kind::COUNT],
            refilled: Counter::new(0),
            drained: Counter::new(0),
        }
    }

    /// The pages in the stack.
    fn level(&self) -> u64 {
        self.level.read()
    }
}

impl CpuCache {
    /// Makes an empty stack for `capacity` pages on each CPU. Task context only, may sleep.
    pub(crate) fn new(capacity: usize) -> Result<Self, AllocError> {
        let stack = || {
            let mut slots = KVec::with_capacity(capacity, GFP_KERNEL)?;
            for _ in 0..capacity {
                slots.push(None, GFP_KERNEL)?;
            }
            Ok((Stack::new(slots), CacheCounts::new()))
        };
        Ok(Self {
            cell: CpuCell::new(stack)?,
            capacity,
        })
    }

    /// Returns how many pages each CPU can keep.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the counters of each CPU, with its number. Any context.
    fn counts(&self) -> impl Iterator<Item = (u32, &CacheCounts)> {
        self.cell.shared()
    }

    /// Returns the sum of a counter over all CPUs. Any context.
    fn sum(&self, counter: impl Fn(&CacheCounts) -> &Counter) -> u64 {
        self.counts()
            .map(|(_, counts)| counter(counts).read())
            .sum()
    }

    /// Returns how many pages were handed out in a context. Any context.
    pub fn hits(&self, context: Kind) -> u64 {
        self.sum(|counts| &counts.hits[context as usize])
    }

    /// Returns how many pages are in all stacks, approximately. Any context.
    pub fn level(&self) -> u64 {
        self.sum(|counts| &counts.level)
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
        self.cell
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
                counts.level.set(stack.len() as u64);
                counts.hits[C::KIND as usize].add(got as u64);
                got
            })
            .unwrap_or(0)
    }

    /// As [`PageSource::get`], for a caller whose request already notes this tier.
    #[inline(always)]
    pub(crate) fn get_noted<C: Context>(&self, _cx: &C) -> Option<Pages> {
        self.cell.with(|stack, counts| {
            let pages = stack.pop()?;
            counts.level.set(stack.len() as u64);
            counts.hits[C::KIND as usize].add(1);
            Some(pages)
        })?
    }

    /// As [`PageSource::get`], but skips pages that are known to be bad.
    #[cold]
    #[inline(never)]
    pub(crate) fn get_good<C: Context>(&self, _cx: &C, request: &mut Request) -> Option<Pages> {
        request.enter(Tier::Cache);
        self.cell.with(|stack, counts| {
            let pages = top_of_good(stack)?;
            counts.level.set(stack.len() as u64);
            counts.hits[C::KIND as usize].add(1);
            Some(pages)
        })?
    }

    /// Fills pages from `source` into the stack of a CPU, until it has `target` pages or `source`
    /// has none, and returns how many pages that were. Contexts: those of `source`.
    ///
    /// `source` is called at most `target` times, because others may take pages out as fast as they
    /// come in, for example the shrinker, if `source` reclaims memory. The stack is not held during
    /// the call, which may take long.
    pub(crate) fn refill(
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
            // Full by now, or in use by somebody who may be preempted: no use in asking for more.
            if !self.fill(cpu, pages) {
                break;
            }
            filled += 1;
        }
        filled
    }

    /// Puts a page into the stack of a CPU. Frees the page if the stack is full or in use.
    fn fill(&self, cpu: u32, pages: Pages) -> bool {
        // Moved out by the one call of the closure, or freed here: that takes locks.
        let mut pages = Some(pages);
        self.cell.with_of(cpu, |stack, counts| {
            if let Some(given) = pages.take() {
                pages = stack.push(given).err();
                counts.level.set(stack.len() as u64);
                counts.refilled.add(pages.is_none().into());
            }
        });
        pages.is_none()
    }

    /// Returns how many pages are in the stack of a CPU, approximately. Any context.
    pub fn level_of(&self, cpu: u32) -> usize {
        self.cell
            .shared_of(cpu)
            .map_or(0, |counts| counts.level() as usize)
    }

    /// Frees up to `wanted` pages of a CPU, online or not, and returns how many. It is an error,
    /// with the number freed by then, if the stack is in use. Contexts: those in which pages may be
    /// freed.
    pub(crate) fn drain(&self, cpu: u32, wanted: usize) -> Result<usize, usize> {
        for drained in 0..wanted {
            let pages = self.cell.with_of(cpu, |stack, counts| {
                let pages = stack.pop();
                counts.level.set(stack.len() as u64);
                counts.drained.add(pages.is_some().into());
                pages
            });
            // Freed here, as in `fill`.
            match pages {
                Some(Some(_)) => {}
                Some(None) => return Ok(drained),
                None => return Err(drained),
            }
        }
        Ok(wanted)
    }

    /// Gives the `unfit` pages of a CPU, online or not, back to the allocator, and returns their
    /// number. It is an error, with the number up to then, if the stack was found in use. The stack
    /// is let go after each look at `at_once` pages, which must not be 0. In any context that may
    /// free pages.
    pub(crate) fn drain_unfit(
        &self,
        cpu: u32,
        at_once: usize,
        unfit: impl Fn(&Pages) -> bool + Copy + Send,
    ) -> Result<usize, usize> {
        take_in_parts(self.level_of(cpu), at_once, |places| {
            self.cell.with_of(cpu, move |stack, counts| {
                let pages = stack.take_where(places, unfit);
                counts.level.set(stack.len() as u64);
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
        for (cpu, counts) in self.counts() {
            let part = (counts.level() as usize * wanted + all - 1) / divisor;
            let part = part.min(wanted - drained);
            drained += self.drain(cpu, part).unwrap_or_else(|some| some);
        }
        drained
    }
}

/// Takes the topmost good page. Bad pages stay, for [`CpuCache::drain_unfit`].
#[cold]
#[inline(never)]
fn top_of_good(stack: &mut Stack<Slots>) -> Option<Pages> {
    let pages = stack.take_where(0..usize::MAX, |pages| !pages.is_known_bad());
    if pages.is_none() && stack.len() != 0 {
        bad_memory::found_again();
    }
    pages
}

impl<C: Context> PageSource<C> for CpuCache {
    type Pages = Pages;

    #[inline(always)]
    fn get(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        request.enter(Tier::Cache);
        self.get_noted(cx)
    }

    #[inline(always)]
    fn put(&self, _cx: &C, pages: Pages) -> Result<(), Pages> {
        // Moved out by the one call of the closure, or still here.
        let mut pages = Some(pages);
        self.cell.with(|stack, counts| {
            if let Some(given) = pages.take() {
                match stack.push(given) {
                    Ok(()) => {
                        counts.level.set(stack.len() as u64);
                        counts.recycled[C::KIND as usize].add(1);
                    }
                    Err(given) => pages = Some(given),
                }
            }
        });
        pages.map_or(Ok(()), Err)
    }
}
