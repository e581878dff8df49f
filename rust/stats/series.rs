// SPDX-License-Identifier: GPL-2.0

//! The memory of one series: per-CPU counters and histograms.

use super::histogram::{
    self,
    BUCKETS, //
};
use crate::ffi::percpu::CpuCounters;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// What is counted: the index of a counter. The histogram follows.
mod index {
    pub(super) const SUCCESS: usize = 0;
    pub(super) const FAILURE: usize = 1;
    pub(super) const FREED: usize = 2;
    pub(super) const CYCLES: usize = 3;
    pub(super) const CORRUPTIONS: usize = 4;
    pub(super) const LATENCY_SUM: usize = 5;
    pub(super) const LATENCY_MAX: usize = 6;
    /// The bitwise complement of the minimum, so that zero stands for "none yet".
    pub(super) const LATENCY_MIN_COMPLEMENT: usize = 7;
    pub(super) const LATENCY: usize = 8;
}

/// One series: counters and a histogram for each CPU.
pub(super) struct Series(CpuCounters<{ index::LATENCY + BUCKETS }>);

impl Series {
    /// Makes a series that is all zero. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self(CpuCounters::new()?))
    }

    /// Counts an allocation. Any context.
    ///
    /// The order is the reverse of that in [`Self::totals`]: what is seen there of an allocation
    /// never lacks what was written earlier, so a sample is never outside of the extremes, and
    /// there are never more outcomes than samples.
    #[inline]
    pub(super) fn allocation(&self, success: bool, nanos: u64) {
        self.0.raise(index::LATENCY_MAX, nanos);
        self.0.raise(index::LATENCY_MIN_COMPLEMENT, !nanos);
        self.latency(nanos);
        let outcome = if success {
            index::SUCCESS
        } else {
            index::FAILURE
        };
        self.0.add(outcome, 1);
    }

    /// Counts a latency, and nothing else. Any context.
    #[inline]
    pub(super) fn latency(&self, nanos: u64) {
        self.0.add(index::LATENCY_SUM, nanos);
        self.0.add(index::LATENCY + histogram::index(nanos), 1);
    }

    /// Counts `pages` frees. Any context.
    #[inline]
    pub(super) fn frees(&self, pages: u64) {
        self.0.add(index::FREED, pages);
    }

    /// Counts a cycle of an exercise. Any context.
    pub(super) fn cycle(&self) {
        self.0.add(index::CYCLES, 1);
    }

    /// Counts pages with foreign contents. Any context.
    pub(super) fn corruptions(&self, pages: u64) {
        self.0.add(index::CORRUPTIONS, pages);
    }

    /// The sums over all CPUs: frees, then outcomes, then samples, then extremes.
    pub(super) fn totals(&self) -> Result<Totals, AllocError> {
        let mut totals = Totals::zero()?;

        totals.freed = self.0.sum(index::FREED);
        totals.success = self.0.sum(index::SUCCESS);
        totals.failure = self.0.sum(index::FAILURE);
        totals.cycles = self.0.sum(index::CYCLES);
        totals.corruptions = self.0.sum(index::CORRUPTIONS);
        for (bucket, total) in totals.latency.iter_mut().enumerate() {
            *total = self.0.sum(index::LATENCY + bucket);
        }
        totals.latency_sum = self.0.sum(index::LATENCY_SUM);
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
    fn zero() -> Result<Self, AllocError> {
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
