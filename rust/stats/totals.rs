// SPDX-License-Identifier: GPL-2.0

//! Sums over all CPUs.

use super::histogram::BUCKETS;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The sums of the counters of one series or kind over all CPUs.
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
    /// Nothing yet. Task context only, may sleep.
    pub(super) fn zero() -> Result<Self, AllocError> {
        Ok(Self::with(KVVec::from_elem(0, BUCKETS, GFP_KERNEL)?))
    }

    /// Nothing yet but these latencies.
    fn with(latency: KVVec<u64>) -> Self {
        Self {
            success: 0,
            failure: 0,
            freed: 0,
            cycles: 0,
            corruptions: 0,
            latency_sum: 0,
            latency_max: 0,
            latency_min: u64::MAX,
            latency,
        }
    }

    /// `count` empty totals. Task context only, may sleep.
    pub(super) fn zeroes(count: usize) -> Result<KVVec<Self>, AllocError> {
        let mut all = KVVec::with_capacity(count, GFP_KERNEL)?;
        for _ in 0..count {
            all.push(Self::zero()?, GFP_KERNEL)?;
        }
        Ok(all)
    }

    /// Back to nothing.
    pub(super) fn clear(&mut self) {
        let mut latency = core::mem::take(&mut self.latency);
        latency.fill(0);
        *self = Self::with(latency);
    }

    /// Adds other totals.
    pub(super) fn add(&mut self, other: &Self) {
        self.each(other, u64::wrapping_add);
        self.latency_max = self.latency_max.max(other.latency_max);
        self.latency_min = self.latency_min.min(other.latency_min);
    }

    /// Subtracts what was there at an earlier time. Extremes stay.
    ///
    /// Nothing underflows: each CPU's counters only grow. A reset sets the earlier `success` to the
    /// earlier `freed`, and later successes are never below that.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        self.each(earlier, |now, earlier| now - earlier);
    }

    fn each(&mut self, other: &Self, operation: impl Fn(u64, u64) -> u64) {
        for (own, other) in [
            (&mut self.success, other.success),
            (&mut self.failure, other.failure),
            (&mut self.freed, other.freed),
            (&mut self.cycles, other.cycles),
            (&mut self.corruptions, other.corruptions),
            (&mut self.latency_sum, other.latency_sum),
        ] {
            *own = operation(*own, other);
        }
        for (own, other) in self.latency.iter_mut().zip(&other.latency) {
            *own = operation(*own, *other);
        }
    }
}
