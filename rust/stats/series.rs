// SPDX-License-Identifier: GPL-2.0

//! The counters of one series.

use super::{
    samples::{
        counters,
        Samples, //
    },
    totals::Totals, //
};
use crate::ffi::percpu::counters::CpuCounters;
use kernel::alloc::AllocError;

/// The number of sources that latencies are told apart by.
pub const SOURCES: usize = crate::SOURCES;

/// The index of each counter besides those of samples.
mod index {
    pub(super) const FREED: usize = 0;
    pub(super) const CYCLES: usize = 1;
    pub(super) const CORRUPTIONS: usize = 2;
    pub(super) const COUNT: usize = 3;
}

/// One series: samples and further counters, for each CPU.
///
/// No latency is counted twice: those of the series are the sum over its sources, those of a source
/// the sum over all series.
pub(super) struct Series {
    pub(super) samples: Samples<{ counters(SOURCES) }>,
    rest: CpuCounters<{ index::COUNT }>,
}

impl Series {
    /// Makes a series that is all zero. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self {
            samples: Samples::new()?,
            rest: CpuCounters::new()?,
        })
    }

    /// Counts `pages` frees. Any context.
    #[inline(always)]
    pub(super) fn frees(&self, pages: u64) {
        self.rest.all().add_at::<{ index::FREED }>(pages);
    }

    /// Counts a cycle of an exercise. Any context.
    pub(super) fn cycle(&self) {
        self.rest.add(index::CYCLES, 1);
    }

    /// Counts pages with foreign contents. Any context.
    pub(super) fn corruptions(&self, pages: u64) {
        self.rest.add(index::CORRUPTIONS, pages);
    }

    /// Adds the further counters. Must be called before samples are read: see
    /// [in flight](super#in-flight).
    pub(super) fn add_rest_to(&self, totals: &mut Totals) {
        for (total, index) in [
            (&mut totals.freed, index::FREED),
            (&mut totals.cycles, index::CYCLES),
            (&mut totals.corruptions, index::CORRUPTIONS),
        ] {
            *total = total.wrapping_add(self.rest.sum(index));
        }
    }

    /// The pages in flight.
    pub(super) fn in_flight(&self) -> u64 {
        let freed = self.rest.sum(index::FREED);
        self.samples.successes().wrapping_sub(freed)
    }
}
