// SPDX-License-Identifier: GPL-2.0

//! The memory of one series: per-CPU counters and histograms.

use super::histogram::{
    self,
    BUCKETS, //
};
use crate::ffi::percpu::{
    CpuCounters,
    Stretch, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The sources that latencies are told apart by.
pub(crate) const SOURCES: usize = 4;

/// What is counted: the index of a counter. The latencies by source come first.
mod index {
    use super::{
        latencies,
        SOURCES, //
    };

    pub(super) const SUCCESS: usize = SOURCES * latencies::LEN;
    pub(super) const FAILURE: usize = SUCCESS + 1;
    pub(super) const FREED: usize = SUCCESS + 2;
    pub(super) const CYCLES: usize = SUCCESS + 3;
    pub(super) const CORRUPTIONS: usize = SUCCESS + 4;
    pub(super) const LATENCY_MAX: usize = SUCCESS + 5;
    /// The bitwise complement of the minimum, so that zero stands for "none yet".
    pub(super) const LATENCY_MIN_COMPLEMENT: usize = SUCCESS + 6;
    pub(super) const COUNT: usize = SUCCESS + 7;
}

/// The latencies of one source: a histogram, then the sum.
mod latencies {
    pub(super) use super::BUCKETS as SUM;

    pub(super) const LEN: usize = SUM + 1;
}

/// One series: counters, and a histogram of latencies by source, for each CPU.
///
/// No latency is counted twice: those of the series are the sum over its sources, those of a source
/// the sum over all series.
pub(super) struct Series(CpuCounters<{ index::COUNT }>);

/// What one allocation is counted in.
#[derive(Clone, Copy)]
pub(super) struct Here<'a>(Stretch<'a, { index::COUNT }>);

impl Here<'_> {
    /// Counts the latency of a request whose outcome is counted next. `source` counts modulo
    /// [`SOURCES`]. Any context.
    ///
    /// The order, here and of these two, is the reverse of that in [`Series::totals`]: what is seen
    /// there of an allocation never lacks what was written earlier, so a sample is never outside of
    /// the extremes, and while all is recorded there are never more outcomes than samples.
    #[inline(always)]
    pub(super) fn latency(self, nanos: u64, source: usize) {
        self.0.raise::<{ index::LATENCY_MAX }>(nanos);
        self.0.raise::<{ index::LATENCY_MIN_COMPLEMENT }>(!nanos);

        let latencies = self.0.part::<{ latencies::LEN }, SOURCES>(source);
        latencies.add_at::<{ latencies::SUM }>(nanos);
        latencies.increment(histogram::index(nanos));
    }

    /// Counts an allocation. Any context.
    #[inline(always)]
    pub(super) fn outcome(self, success: bool) {
        if success {
            self.0.increment_at::<{ index::SUCCESS }>();
        } else {
            self.0.increment_at::<{ index::FAILURE }>();
        }
    }
}

impl Series {
    /// Makes a series that is all zero. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self(CpuCounters::new()?))
    }

    /// Where an allocation is counted.
    #[inline(always)]
    pub(super) fn here(&self) -> Here<'_> {
        Here(self.0.all())
    }

    /// Counts `pages` frees. Any context.
    #[inline(always)]
    pub(super) fn frees(&self, pages: u64) {
        self.0.all().add_at::<{ index::FREED }>(pages);
    }

    /// Counts a cycle of an exercise. Any context.
    pub(super) fn cycle(&self) {
        self.0.add(index::CYCLES, 1);
    }

    /// Counts pages with foreign contents. Any context.
    pub(super) fn corruptions(&self, pages: u64) {
        self.0.add(index::CORRUPTIONS, pages);
    }

    /// The sums over all CPUs: frees, then outcomes, then samples, then extremes. Adds the latencies
    /// of each source to those in `sources`, of which there are [`SOURCES`].
    pub(super) fn totals(&self, sources: &mut [Totals]) -> Result<Totals, AllocError> {
        let mut totals = Totals::zero()?;
        let mut latencies = KVVec::from_elem(0, latencies::LEN, GFP_KERNEL)?;

        totals.freed = self.0.sum(index::FREED);
        totals.success = self.0.sum(index::SUCCESS);
        totals.failure = self.0.sum(index::FAILURE);
        totals.cycles = self.0.sum(index::CYCLES);
        totals.corruptions = self.0.sum(index::CORRUPTIONS);
        for (number, source) in sources.iter_mut().enumerate() {
            latencies.fill(0);
            self.0.sum_each(number * latencies::LEN, &mut latencies);
            totals.add_latencies(&latencies);
            source.add_latencies(&latencies);
        }
        totals.latency_max = self.0.max(index::LATENCY_MAX);
        totals.latency_min = !self.0.max(index::LATENCY_MIN_COMPLEMENT);
        Ok(totals)
    }

    /// The pages in flight.
    pub(super) fn in_flight(&self) -> u64 {
        let freed = self.0.sum(index::FREED);
        self.0.sum(index::SUCCESS).wrapping_sub(freed)
    }

    /// Clears minimum and maximum, which cannot be subtracted.
    pub(super) fn forget_extremes(&self) {
        self.0.clear(index::LATENCY_MAX, |_| true);
        self.0.clear(index::LATENCY_MIN_COMPLEMENT, |_| true);
    }
}

/// The sums of a series over all CPUs.
pub(super) struct Totals {
    pub(super) success: u64,
    pub(super) failure: u64,
    pub(super) freed: u64,
    pub(super) cycles: u64,
    pub(super) corruptions: u64,
    pub(super) latency_sum: u64,
    pub(super) latency_max: u64,
    /// `u64::MAX` when there is none.
    pub(super) latency_min: u64,
    /// By bucket; [`BUCKETS`] of them.
    pub(super) latency: KVVec<u64>,
}

impl Totals {
    /// Nothing yet.
    pub(super) fn zero() -> Result<Self, AllocError> {
        Ok(Self {
            success: 0,
            failure: 0,
            freed: 0,
            cycles: 0,
            corruptions: 0,
            latency_sum: 0,
            latency_max: 0,
            latency_min: u64::MAX,
            latency: KVVec::from_elem(0, BUCKETS, GFP_KERNEL)?,
        })
    }

    /// Adds a histogram that its sum follows.
    fn add_latencies(&mut self, latencies: &[u64]) {
        let (buckets, sum) = latencies.split_at(latencies::SUM);

        for (total, count) in self.latency.iter_mut().zip(buckets) {
            *total = total.wrapping_add(*count);
        }
        for nanos in sum {
            self.latency_sum = self.latency_sum.wrapping_add(*nanos);
        }
    }

    /// Subtracts what was there at an earlier time. Extremes stay.
    ///
    /// Nothing underflows: each CPU's counters only grow, and the earlier `success` is not more than
    /// the earlier `freed`, which later successes are never below.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        self.success -= earlier.success;
        self.failure -= earlier.failure;
        self.freed -= earlier.freed;
        self.cycles -= earlier.cycles;
        self.corruptions -= earlier.corruptions;
        self.latency_sum -= earlier.latency_sum;
        for (count, earlier) in self.latency.iter_mut().zip(&earlier.latency) {
            *count -= earlier;
        }
    }
}
