// SPDX-License-Identifier: GPL-2.0

//! One burst of requests, the same for every contestant.

use super::{
    contestant::Contestant,
    record::{
        Last,
        Record, //
    }, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};
use labyrinth::{
    context::Context,
    mm::{
        Gauge,
        Memory, //
    },
    time::Moment, //
};

/// The work of a contestant.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// A burst of this many requests.
    Burst(u32),
    /// This many requests, whose pages are kept.
    Hold(u32),
    /// Release all pages that are held.
    Release,
}

/// A contestant and the record of its bursts.
pub(super) struct Job<T> {
    pub(super) contestant: T,
    pub(super) record: Record,
}

impl<T> Job<T> {
    /// Makes a job. Task context only, may sleep.
    pub(super) fn new(contestant: T) -> Result<KBox<Self>, AllocError> {
        KBox::new(
            Self {
                contestant,
                record: Record::new()?,
            },
            GFP_KERNEL,
        )
    }

    /// Does the work. Allocates nothing else.
    pub(super) fn work<C: Context>(&mut self, cx: &C, work: Work)
    where
        T: Contestant<C>,
    {
        match work {
            Work::Burst(pages) => self.burst(cx, pages),
            Work::Hold(pages) => {
                for _ in 0..pages {
                    self.contestant.take(cx);
                }
            }
            Work::Release => self.contestant.release_all(cx),
        }
    }

    /// Requests `pages` pages, one by one, then releases those that it got.
    ///
    /// After a failure it still requests the next page.
    fn burst<C: Context>(&mut self, cx: &C, pages: u32)
    where
        T: Contestant<C>,
    {
        let before = Memory::now();
        let begin = Moment::now();
        let (mut dropped, mut emergency) = (0, 0);

        for _ in 0..pages {
            let gauge = Gauge::read();
            let asked = Moment::now();
            let served = self.contestant.take(cx);
            let nanos = Moment::now().nanos_since(asked);

            emergency += gauge.emergency_pages_since();
            dropped += u64::from(!served);
            self.record.request(served, nanos);
        }

        let nanos = Moment::now().nanos_since(begin);
        let after = Memory::now();
        self.contestant.release_all(cx);
        self.record.burst(Last {
            asked: pages.into(),
            dropped,
            emergency,
            nanos,
            before,
            after,
            recovered: None,
        });
    }
}
