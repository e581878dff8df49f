// SPDX-License-Identifier: GPL-2.0

//! The per-CPU cache.

use super::logic::{
    page_source::PageSource,
    request::{
        Request,
        Room, //
    },
    stack::{
        take_in_parts,
        Stack, //
    }, //
};
use crate::{
    ffi::{
        bad_memory,
        context::{
            Context,
            Kind, //
        },
        percpu::Tally,
        percpu_cell::CpuCell, //
    },
    page::{
        ExclusivePages,
        Uninit, //
    }, //
};
use core::num::NonZero;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The most pages that a CPU can keep.
pub const MAX_CACHE: usize = 1024;

type Pages = ExclusivePages<Uninit>;
type Slots = KVec<Option<Pages>>;

/// A stack of pages for each CPU.
///
/// Usable in every context, also with interrupts off, in NMI and on PREEMPT_RT. Nobody ever waits:
/// whoever comes upon a stack in use is turned away, as if the stack were empty (or full, when it gives
/// back). A hit touches memory of its own CPU alone. Stacks are refilled and drained from any CPU, one
/// page at a time, so that theirs is hardly ever turned away for that.
pub struct CpuCache {
    cell: CpuCell<Stack<Slots>, CacheCounts>,
    capacity: usize,
}

/// What one CPU's cache has done; written by the holder of the stack.
pub struct CacheCounts {
    /// The pages in the stack.
    level: Tally,
    /// Pages handed out, by context.
    hits: [Tally; Kind::COUNT],
    /// Pages taken back, by context.
    recycled: [Tally; Kind::COUNT],
    /// Pages filled in ahead.
    refilled: Tally,
    /// Pages given back to the allocator: by the shrinker, after CPU hot-unplug, or because they
    /// were unfit.
    drained: Tally,
}

impl CacheCounts {
    const fn new() -> Self {
        Self {
            level: Tally::new(0),
            hits: [const { Tally::new(0) }; Kind::COUNT],
            recycled: [const { Tally::new(0) }; Kind::COUNT],
            refilled: Tally::new(0),
            drained: Tally::new(0),
        }
    }

    /// The pages in the stack.
    pub fn level(&self) -> u64 {
        self.level.read()
    }

    /// Pages handed out in a context.
    pub fn hits(&self, context: Kind) -> u64 {
        self.hits[context as usize].read()
    }

    /// Pages taken back in a context.
    pub fn recycled(&self, context: Kind) -> u64 {
        self.recycled[context as usize].read()
    }

    /// Pages filled in ahead.
    pub fn refilled(&self) -> u64 {
        self.refilled.read()
    }

    /// Pages given back to the allocator.
    pub fn drained(&self) -> u64 {
        self.drained.read()
    }
}

impl CpuCache {
    /// Makes empty stacks for `capacity` pages on each CPU. Task context only, may sleep.
    pub fn new(capacity: usize) -> Result<Self, AllocError> {
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

    /// The pages that each CPU can keep.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// What each CPU has done, by its number. Any context.
    pub fn counts(&self) -> impl Iterator<Item = (u32, &CacheCounts)> {
        self.cell.shared()
    }

    /// The pages in all stacks, at about this time. Any context.
    pub fn level(&self) -> u64 {
        self.counts().map(|(_, counts)| counts.level()).sum()
    }

    /// Takes up to `wanted` pages at once and gives each to `sink`; returns how many there were.
    pub fn get_bulk<C: Context>(
        &self,
        _cx: &C,
        request: &mut Request,
        wanted: usize,
        mut sink: impl FnMut(Pages),
    ) -> usize {
        request.enter(Room::Cache);
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

    /// As [`PageSource::get`], for a caller that has noted the room in its request.
    #[inline(always)]
    pub fn get_noted<C: Context>(&self, _cx: &C) -> Option<Pages> {
        self.cell.with(|stack, counts| {
            let pages = stack.pop()?;
            counts.level.set(stack.len() as u64);
            counts.hits[C::KIND as usize].add(1);
            Some(pages)
        })?
    }

    /// As [`PageSource::get`], but does not take pages that are known to be bad.
    #[cold]
    #[inline(never)]
    pub fn get_good<C: Context>(&self, _cx: &C, request: &mut Request) -> Option<Pages> {
        request.enter(Room::Cache);
        self.cell.with(|stack, counts| {
            let pages = top_of_good(stack)?;
            counts.level.set(stack.len() as u64);
            counts.hits[C::KIND as usize].add(1);
            Some(pages)
        })?
    }

    /// Fills pages from `source` into the stack of a CPU, until there are `target` or there are no more,
    /// and returns how many that were. Any context that `source` can be called in.
    ///
    /// `source` is called at most `target` times: somebody may take pages out as fast as they come in,
    /// be it the shrinker that `source` itself has set off. Nobody holds the stack then, as it may take
    /// long.
    pub fn refill(
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

    /// Puts a page into the stack of a CPU. One that it has no room for, or that comes upon it in use,
    /// is freed.
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

    /// The pages in the stack of a CPU, at about this time. Any context.
    pub fn level_of(&self, cpu: u32) -> usize {
        self.cell
            .shared_of(cpu)
            .map_or(0, |counts| counts.level() as usize)
    }

    /// Gives up to `wanted` pages of a CPU, online or not, back to the allocator and returns how many
    /// that were; as an error when it came upon the stack in use. In any context that may free pages.
    pub fn drain(&self, cpu: u32, wanted: usize) -> Result<usize, usize> {
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
    pub fn drain_unfit(
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

    /// Gives up to `wanted` pages back to the allocator, of each CPU a part in proportion to what it
    /// has, and returns how many that were. In any context that may free pages.
    pub fn shrink(&self, wanted: usize) -> usize {
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

/// Takes the topmost page that is not bad. Bad ones stay, for [`CpuCache::drain_unfit`].
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
        request.enter(Room::Cache);
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
