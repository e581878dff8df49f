// SPDX-License-Identifier: GPL-2.0

//! Sums over all CPUs.

use super::{
    histogram::BUCKETS,
    Event, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The sums of the counters of one series or kind over all CPUs.
pub(super) struct Totals {
    pub(super) success: u64,
    pub(super) failure: u64,
    pub(super) events: [u64; Event::COUNT],
    pub(super) latency_sum: u64,
    pub(super) latency_max: u64,
    /// `u64::MAX` when there is none.
    pub(super) latency_min: u64,
    /// The histogram, with [`BUCKETS`] buckets.
    pub(super) latency: KVVec<u64>,
}

impl Totals {
    /// Makes totals that are all zero. Task context only, may sleep.
    pub(super) fn zero() -> Result<Self, AllocError> {
        Ok(Self::with(KVVec::from_elem(0, BUCKETS, GFP_KERNEL)?))
    }

    /// Makes totals that are all zero, except for this histogram.
    fn with(latency: KVVec<u64>) -> Self {
        Self {
            success: 0,
            failure: 0,
            events: [0; Event::COUNT],
            latency_sum: 0,
            latency_max: 0,
            latency_min: u64::MAX,
            latency,
        }
    }

    /// Makes `count` totals that are all zero. Task context only, may sleep.
    pub(super) fn zeroes(count: usize) -> Result<KVVec<Self>, AllocError> {
        let mut all = KVVec::with_capacity(count, GFP_KERNEL)?;
        for _ in 0..count {
            all.push(Self::zero()?, GFP_KERNEL)?;
        }
        Ok(all)
    }

    /// Sets everything to zero.
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

    /// Subtracts the totals of an earlier time. The extremes stay as they are.
    ///
    /// Nothing underflows, because each CPU's counters only grow. A reset sets the earlier
    /// `success` to the earlier number of freed pages, and later successes are never fewer than
    /// that.
    pub(super) fn subtract(&mut self, earlier: &Self) {
        self.each(earlier, |now, earlier| now - earlier);
    }

    fn each(&mut self, other: &Self, operation: impl Fn(u64, u64) -> u64) {
        for (own, other) in [
            (&mut self.success, other.success),
            (&mut self.failure, other.failure),
            (&mut self.latency_sum, other.latency_sum),
        ] {
            *own = operation(*own, other);
        }
        let (events, latency) = (self.events.iter_mut(), self.latency.iter_mut());
        let others = Iterator::chain(other.events.iter(), &other.latency);
        for (own, other) in Iterator::chain(events, latency).zip(others) {
            *own = operation(*own, *other);
        }
    }
}
