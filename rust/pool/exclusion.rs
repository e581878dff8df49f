// SPDX-License-Identifier: GPL-2.0

//! Keeps excluded memory out of a pool.

use super::logic::excluded::{
    most_held,
    Block,
    Excluded,
    Zone,
    FEW, //
};
use crate::{
    ffi::{
        mm::watermark::memory_total,
        time::clock::Moment, //
    },
    page::{
        ExclusivePages,
        Uninit, //
    }, //
};
use kernel::{
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

type Pages = ExclusivePages<Uninit>;

/// The longest search for a block that is not excluded in task context, in nanoseconds. On a debug
/// kernel, which checks each page that is allocated or freed, 16 MiB of blocks take seconds.
const LONGEST_LOOK: u64 = 500_000_000;

/// Accepts pages that are not excluded, and counts those that are.
///
/// Excluded blocks that the allocator offers are held back while the allocation is retried, or it
/// would offer them again. They are freed afterwards. Their contents are not touched.
pub(super) struct Exclusion {
    excluded: Excluded,
    /// Whether nothing is excluded.
    open: bool,
    met: Atomic<u64>,
    /// How many searches in a row failed in task context.
    given_up: Atomic<u32>,
}

/// Returns the first pages from `ask` that have not gone bad. Bad pages are passed to `free`: a
/// freed bad page is taken out of use. A production kernel can have bad pages among its free pages
/// if they were freed as a part of a larger block. Contexts: those of `ask` and `free`.
#[inline]
pub(super) fn good(ask: impl Fn() -> Option<Pages>, free: impl Fn(Pages)) -> Option<Pages> {
    loop {
        let pages = ask()?;
        if !pages.is_known_bad() {
            return Some(pages);
        }
        free(pages);
    }
}

impl Exclusion {
    pub(super) fn new(excluded: Excluded) -> Self {
        Self {
            excluded,
            open: excluded == Excluded::NOTHING,
            met: Atomic::new(0),
            given_up: Atomic::new(0),
        }
    }

    /// Returns whether nothing is excluded. Any context.
    #[inline(always)]
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Returns how many excluded blocks were refused. Any context.
    pub(super) fn met(&self) -> u64 {
        self.met.load(Relaxed)
    }

    /// Returns whether pages are not excluded, and counts them if they are. Any context.
    pub(super) fn lets_in(&self, pages: &Pages) -> bool {
        if self.is_open() {
            return true;
        }
        let place = pages.location();
        let excluded = self.excluded.excludes(&Block {
            start: place.address,
            bytes: (PAGE_SIZE as u64) << pages.order(),
            node: place.node,
            zone: match place.zone {
                0 => Zone::Dma,
                1 => Zone::Dma32,
                _ => Zone::Normal,
            },
        });
        if excluded {
            self.met.add(1, Relaxed);
        }
        !excluded
    }

    /// Returns the first pages that are not excluded, of the first few from `ask`. If memory is
    /// excluded, pages must be allowed to be freed in this context.
    #[inline]
    pub(super) fn first(&self, ask: impl Fn() -> Option<Pages>) -> Option<Pages> {
        if self.is_open() {
            return ask();
        }
        self.first_of_few(ask)
    }

    #[cold]
    #[inline(never)]
    fn first_of_few(&self, ask: impl Fn() -> Option<Pages>) -> Option<Pages> {
        let mut aside = [const { None }; FEW];
        let mut tries = 0;
        for slot in &mut aside {
            let pages = ask()?;
            if self.lets_in(&pages) {
                return Some(pages);
            }
            tries += 1;
            if tries >= self.most_held(pages.order(), u32::MAX) {
                break;
            }
            *slot = Some(pages);
        }
        None
    }

    fn most_held(&self, order: u32, given_up: u32) -> usize {
        most_held(memory_total() as u64, PAGE_SHIFT as u32, order, given_up)
    }

    /// Makes the list of blocks that [`Self::first_of_many`] holds back. Task context only, may
    /// sleep.
    ///
    /// Each failed search in a row halves its capacity, down to a few blocks. So a pool that finds
    /// no memory does not search at length again and again.
    pub(super) fn aside(&self, order: u32) -> KVVec<Pages> {
        if self.is_open() {
            return KVVec::new();
        }
        let blocks = self.most_held(order, self.given_up.load(Relaxed));
        // Without memory the list has no room, and the first excluded block ends the search.
        KVVec::with_capacity(blocks, GFP_KERNEL).unwrap_or_default()
    }

    /// Like [`Self::first`], with as many tries as excluded blocks fit into `aside`, for at most
    /// half a second. The excluded blocks stay in `aside`, so that a request for the next pages
    /// does not find them again.
    pub(super) fn first_of_many(
        &self,
        aside: &mut KVVec<Pages>,
        ask: impl Fn() -> Option<Pages>,
    ) -> Option<Pages> {
        let mut begin = None;
        loop {
            let Some(pages) = ask() else {
                // The blocks in `aside` may be all free memory.
                if !aside.is_empty() {
                    self.given_up.add(1, Relaxed);
                }
                return None;
            };
            if self.lets_in(&pages) {
                self.given_up.store(0, Relaxed);
                return Some(pages);
            }
            let now = Moment::now();
            let late = now.nanos_since(*begin.get_or_insert(now)) > LONGEST_LOOK;
            if late || aside.push_within_capacity(pages).is_err() {
                self.given_up.add(1, Relaxed);
                return None;
            }
        }
    }
}
