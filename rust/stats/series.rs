// SPDX-License-Identifier: GPL-2.0

//! The counters of one series.

use super::{
    row::{
        At,
        Label,
        Row, //
    },
    samples::{
        counters,
        Samples, //
    },
    totals::Totals,
    Snapshot, //
};
use crate::ffi::percpu::counters::CpuCounters;
use kernel::alloc::AllocError;

/// How many sources latencies are counted for.
pub const SOURCES: usize = crate::SOURCES;

/// The events that a series counts besides its samples. Each has a row in `ROWS`.
#[derive(Clone, Copy)]
pub enum Event {
    /// Pages were freed.
    Freed,
    /// An exercise has begun a cycle.
    Cycle,
    /// Pages did not hold what was written to them.
    Corruption,
}

impl Event {
    /// How many kinds of events there are.
    pub(super) const COUNT: usize = 3;
}

pub(super) static ROWS: [Row<Snapshot>; Event::COUNT] = [
    row("page_free", "Pages freed.", |snapshot, at| {
        snapshot.events(Event::Freed, at)
    }),
    row("exercise_cycles", "Cycles begun.", |snapshot, at| {
        snapshot.events(Event::Cycle, at)
    }),
    row(
        "exercise_corruptions",
        "Pages that did not hold what was written to them.",
        |snapshot, at| snapshot.events(Event::Corruption, at),
    ),
];

const fn row(
    name: &'static str,
    help: &'static str,
    read: fn(&Snapshot, At) -> u64,
) -> Row<Snapshot> {
    Row::counter(name, help, &[Label::CONTEXTS], read)
}

/// One series: samples and further counters, for each CPU.
///
/// Each latency is counted once, for its series and source. The latencies of a series are summed
/// over its sources, and those of a source over all series.
pub(super) struct Series {
    pub(super) samples: Samples<{ counters(SOURCES) }>,
    events: CpuCounters<{ Event::COUNT }>,
}

impl Series {
    /// Makes a series that is all zero. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self {
            samples: Samples::new()?,
            events: CpuCounters::new()?,
        })
    }

    /// Counts `pages` frees. Any context.
    #[inline(always)]
    pub(super) fn frees(&self, pages: u64) {
        self.events.all().add_at::<{ Event::Freed as usize }>(pages);
    }

    /// Counts `n` events. Any context.
    pub(super) fn events(&self, event: Event, n: u64) {
        self.events.add(event as usize, n);
    }

    /// Adds the events to `totals`. This must happen before samples are read, see
    /// [in flight](super#in-flight).
    pub(super) fn add_events_to(&self, totals: &mut Totals) {
        self.events.sum_each(0, &mut totals.events);
    }

    /// The pages in flight.
    pub(super) fn in_flight(&self) -> u64 {
        let freed = self.events.sum(Event::Freed as usize);
        self.samples.successes().wrapping_sub(freed)
    }
}
