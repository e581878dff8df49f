// SPDX-License-Identifier: GPL-2.0

//! What keeps barred memory out of a pool.

use super::logic::barred::{
    most_held,
    Barred,
    Block,
    Zone,
    FEW, //
};
use crate::{
    ffi::{
        clock::Moment,
        watermark::memory_total, //
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

/// How long the allocator is asked in task context for a block that is not barred, in nanoseconds.
/// On a debug kernel, which checks each page that comes or goes, 16 MiB of blocks take seconds.
const LONGEST_LOOK: u64 = 500_000_000;

/// Lets pages in that are not barred, and counts those that are.
///
/// Barred blocks that the allocator offers are put aside for as long as it is asked, or it would offer
/// them again, and given back afterwards. Their contents are not touched.
pub(super) struct Gate {
    barred: Barred,
    /// Whether nothing is barred.
    open: bool,
    met: Atomic<u64>,
    /// How often in a row it was given up in task context.
    given_up: Atomic<u32>,
}

/// Returns the first pages from `ask` that have not gone bad. Bad ones are freed, which takes them
/// out of use: a production kernel can have some among its free pages if they were freed as a part
/// of a larger block. Wherever pages can be freed.
#[inline]
pub(super) fn good(ask: impl Fn() -> Option<Pages>) -> Option<Pages> {
    let mut pages = ask()?;
    while pages.is_known_bad() {
        pages = ask()?;
    }
    Some(pages)
}

impl Gate {
    pub(super) fn new(barred: Barred) -> Self {
        Self {
            barred,
            open: barred == Barred::NOTHING,
            met: Atomic::new(0),
            given_up: Atomic::new(0),
        }
    }

    /// Whether nothing is barred. Any context.
    #[inline(always)]
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// How many barred blocks wanted in. Any context.
    pub(super) fn met(&self) -> u64 {
        self.met.load(Relaxed)
    }

    /// Whether pages are not barred. Any context.
    pub(super) fn lets_in(&self, pages: &Pages) -> bool {
        if self.is_open() {
            return true;
        }
        let place = pages.location();
        let barred = self.barred.bars(&Block {
            start: place.address,
            bytes: (PAGE_SIZE as u64) << pages.order(),
            node: place.node,
            zone: match place.zone {
                0 => Zone::Dma,
                1 => Zone::Dma32,
                _ => Zone::Normal,
            },
        });
        if barred {
            self.met.add(1, Relaxed);
        }
        !barred
    }

    /// The first pages that are not barred, of the first few that `ask` gives. Wherever pages can be
    /// freed.
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

    /// Room for what [`Self::first_of_many`] puts aside. Task context only, may sleep.
    ///
    /// Each time in a row that it was too little it is half as much, down to a few: where there is
    /// nothing to be had this must not be looked for at such length again and again.
    pub(super) fn aside(&self, order: u32) -> KVVec<Pages> {
        if self.is_open() {
            return KVVec::new();
        }
        let blocks = self.most_held(order, self.given_up.load(Relaxed));
        // Without room for any, the first barred block is one too many.
        KVVec::with_capacity(blocks, GFP_KERNEL).unwrap_or_default()
    }

    /// As [`Self::first`], with as many tries as `aside` has room for barred blocks, within half a
    /// second. The barred blocks stay in `aside`, so that a request for the next pages does not
    /// meet them again.
    pub(super) fn first_of_many(
        &self,
        aside: &mut KVVec<Pages>,
        ask: impl Fn() -> Option<Pages>,
    ) -> Option<Pages> {
        let mut begin = None;
        loop {
            let Some(pages) = ask() else {
                // What is aside may be all there was.
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
