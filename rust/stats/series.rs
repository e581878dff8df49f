// SPDX-License-Identifier: GPL-2.0

//! The memory of one series: per-CPU counters and histograms.

use super::histogram::{
    self,
    BUCKETS, //
};
use crate::ffi::percpu::{
    Counter,
    PerCpu, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// What one CPU has recorded.
#[derive(Zeroable)]
pub(super) struct Slot {
    success: Counter,
    failure: Counter,
    freed: Counter,
    cycles: Counter,
    corruptions: Counter,
    latency_sum: Counter,
    latency_max: Counter,
    /// The bitwise complement of the minimum, so that zero stands for "none yet".
    latency_min_complement: Counter,
    latency: [Counter; BUCKETS],
}

impl Slot {
    /// Counts an allocation. Any context.
    ///
    /// The order is the reverse of that in [`Series::totals`]: what is seen there of an allocation
    /// never lacks what was written earlier, so a sample is never outside of the extremes, and
    /// there are never more outcomes than samples.
    #[inline]
    pub(super) fn allocation(&self, success: bool, nanos: u64) {
        self.latency_max.raise_to(nanos);
        self.latency_min_complement.raise_to(!nanos);
        self.latency_sum.add(nanos);
        self.latency[histogram::index(nanos)].add_after(1);
        if success {
            self.success.add_after(1);
        } else {
            self.failure.add_after(1);
        }
    }

    /// Counts `pages` frees. Any context.
    #[inline]
    pub(super) fn frees(&self, pages: u64) {
        self.freed.add_after(pages);
    }

    /// Counts a cycle of an exercise. Any context.
    pub(super) fn cycle(&self) {
        self.cycles.add(1);
    }

    /// Counts pages with foreign contents. Any context.
    pub(super) fn corruptions(&self, pages: u64) {
        self.corruptions.add(pages);
    }
}

/// One series.
pub(super) struct Series {
    slots: PerCpu<Slot>,
}

impl Series {
    /// Makes a series that is all zero. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self {
            slots: PerCpu::new()?,
        })
    }

    /// The place to record into from this CPU.
    #[inline]
    pub(super) fn local(&self) -> &Slot {
        self.slots.local()
    }

    /// The sums over all CPUs: frees, then outcomes, then samples, then extremes.
    pub(super) fn totals(&self) -> Result<Totals, AllocError> {
        let mut totals = Totals::zero()?;

        for slot in self.slots.iter() {
            totals.freed += slot.freed.read_before();
        }
        for slot in self.slots.iter() {
            totals.success += slot.success.read_before();
            totals.failure += slot.failure.read_before();
            totals.cycles += slot.cycles.read();
            totals.corruptions += slot.corruptions.read();
        }
        for slot in self.slots.iter() {
            for (total, count) in totals.latency.iter_mut().zip(&slot.latency) {
                *total += count.read_before();
            }
        }
        for slot in self.slots.iter() {
            totals.latency_sum += slot.latency_sum.read();
            totals.latency_max = totals.latency_max.max(slot.latency_max.read());
            totals.latency_min = totals.latency_min.min(!slot.latency_min_complement.read());
        }
        Ok(totals)
    }

    /// The pages in flight.
    pub(super) fn in_flight(&self) -> u64 {
        let freed: u64 = self.slots.iter().map(|slot| slot.freed.read_before()).sum();
        let success: u64 = self.slots.iter().map(|slot| slot.success.read()).sum();

        success.wrapping_sub(freed)
    }

    /// Clears minimum and maximum, which cannot be subtracted.
    pub(super) fn forget_extremes(&self) {
        for slot in self.slots.iter() {
            slot.latency_max.clear();
            slot.latency_min_complement.clear();
        }
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
