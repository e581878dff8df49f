// SPDX-License-Identifier: GPL-2.0

//! The per-CPU cache.

use super::logic::{
    page_source::PageSource,
    request::{
        Request,
        Room, //
    },
    stack::Stack, //
};
use crate::{
    ffi::{
        context::{
            Context,
            Kind, //
        },
        hotplug::DeadCpu,
        percpu::Tally,
        percpu_cell::CpuCell, //
    },
    page::{
        ExclusivePages,
        Uninit, //
    }, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The most pages that a CPU can keep.
pub(crate) const MAX_CACHE: usize = 1024;

type Pages = ExclusivePages<Uninit>;

/// A stack of pages for each CPU.
///
/// Usable in every context, also with interrupts off, in NMI and on PREEMPT_RT. Nobody ever waits: an
/// interrupt that comes upon the stack of its CPU in use is turned away, as if the stack were empty
/// (or full, when it gives back). A hit touches memory of its own CPU alone.
pub(crate) struct CpuCache {
    cell: CpuCell<Stack<KVec<Option<Pages>>>, CacheCounts>,
    capacity: usize,
}

/// What one CPU's cache has done; written by the holder of the stack.
pub(crate) struct CacheCounts {
    /// The pages in the stack.
    level: Tally,
    /// Pages handed out, by context.
    hits: [Tally; Kind::COUNT],
    /// Pages taken back, by context.
    recycled: [Tally; Kind::COUNT],
    /// Pages filled in ahead.
    refilled: Tally,
    /// Pages given back to the allocator: by the shrinker, after CPU hot-unplug.
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
    pub(crate) fn level(&self) -> u64 {
        self.level.read()
    }

    /// Pages handed out in a context.
    pub(crate) fn hits(&self, context: Kind) -> u64 {
        self.hits[context as usize].read()
    }

    /// Pages taken back in a context.
    pub(crate) fn recycled(&self, context: Kind) -> u64 {
        self.recycled[context as usize].read()
    }

    /// Pages filled in ahead.
    pub(crate) fn refilled(&self) -> u64 {
        self.refilled.read()
    }

    /// Pages given back to the allocator.
    pub(crate) fn drained(&self) -> u64 {
        self.drained.read()
    }
}

impl CpuCache {
    /// Makes empty stacks for `capacity` pages on each CPU. Task context only, may sleep.
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

    /// The pages that each CPU can keep.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// What each CPU has done, by its number. Any context.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (u32, &CacheCounts)> {
        self.cell.shared()
    }

    /// The pages in all stacks, at about this time. Any context.
    pub(crate) fn level(&self) -> u64 {
        self.counts().map(|(_, counts)| counts.level()).sum()
    }

    /// Takes up to `wanted` pages at once and gives each to `sink`; returns how many there were.
    pub(crate) fn get_bulk<C: Context>(
        &self,
        _cx: &C,
        request: &mut Request,
        wanted: usize,
        mut sink: impl FnMut(Pages),
    ) -> usize {
        request.enter(Room::Cache);
        self.cell
            .with(|stack, counts| {
                let mut got = 0;
                while got < wanted {
                    let Some(pages) = stack.pop() else { break };
                    sink(pages);
                    got += 1;
                }
                counts.level.set(stack.len() as u64);
                counts.hits[C::KIND as usize].add(got as u64);
                got
            })
            .unwrap_or(0)
    }

    /// Fills pages from `source` into the stack of this CPU, until there are `target` or there are
    /// no more, and returns how many that were. Any context that `source` can be called in.
    ///
    /// At most `target` pages in one call: somebody may take pages out as fast as they come in, be
    /// it the shrinker that `source` itself has set off.
    pub(crate) fn refill(&self, target: usize, mut source: impl FnMut() -> Option<Pages>) -> usize {
        let most = target.min(self.capacity);
        (0..most)
            .take_while(|_| self.refill_one(most, &mut source))
            .count()
    }

    /// The source is asked while nobody holds the stack, as it may take long.
    fn refill_one(&self, target: usize, source: &mut impl FnMut() -> Option<Pages>) -> bool {
        if self.cell.shared_here().level() >= target as u64 {
            return false;
        }
        let Some(pages) = source() else {
            return false;
        };
        self.cell
            .with(|stack, counts| {
                let done = stack.push(pages).is_ok();
                counts.level.set(stack.len() as u64);
                counts.refilled.add(done.into());
                done
            })
            .unwrap_or(false)
    }

    /// The pages in the stack of this CPU, or of the one that this ran on a moment ago. Any context.
    pub(crate) fn level_here(&self) -> usize {
        self.cell.shared_here().level() as usize
    }

    /// Gives up to `wanted` pages of this CPU back to the allocator and returns how many that were.
    /// In any context that may free pages.
    pub(crate) fn drain_here(&self, wanted: usize) -> usize {
        let mut drained = 0;
        while drained < wanted && self.cell.with(Self::drain_one) == Some(true) {
            drained += 1;
        }
        drained
    }

    /// Gives all pages of a CPU that is offline back to the allocator. Returns whether it could: not
    /// when a task that was moved away from there still holds the stack.
    pub(crate) fn drain_dead(&self, cpu: &mut DeadCpu<'_>) -> bool {
        self.cell
            .with_dead(cpu, |stack, counts| while Self::drain_one(stack, counts) {})
            .is_some()
    }

    fn drain_one(stack: &mut Stack<KVec<Option<Pages>>>, counts: &CacheCounts) -> bool {
        let pages = stack.pop();
        counts.level.set(stack.len() as u64);
        counts.drained.add(pages.is_some().into());
        pages.is_some()
    }
}

impl<C: Context> PageSource<C> for CpuCache {
    type Pages = Pages;

    #[inline(always)]
    fn get(&self, _cx: &C, request: &mut Request) -> Option<Pages> {
        request.enter(Room::Cache);
        self.cell.with(|stack, counts| {
            let pages = stack.pop()?;
            counts.level.set(stack.len() as u64);
            counts.hits[C::KIND as usize].add(1);
            Some(pages)
        })?
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
