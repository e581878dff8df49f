// SPDX-License-Identifier: GPL-2.0

//! Outcomes and latencies. Each reading sees the outcomes and the latencies of the same samples.
//!
//! # Vocabulary
//!
//! - A *sample* is one outcome, with its latency if the latency was measured.
//! - A sample is *open* while it is being recorded: first it is counted as begun, then maximum,
//!   minimum, sum and bucket are updated, and last the outcome is counted. This takes a few
//!   instructions, but a task can be preempted meanwhile, and continue on another CPU.
//!
//! # Why there are two sets of counters
//!
//! A recorder never waits. So a reader that reads one counter after the other finds samples that
//! are recorded in part: in the extremes but not yet in the histogram, or in the sum but not yet in
//! the outcomes. Between two resets this does little harm. A reset, however, has to clear the
//! extremes, because they cannot be subtracted. If a sample is open at that time, or is recorded
//! while the reset reads the other counters, the reset would clear its extremes, and count its
//! bucket later.
//!
//! So a reading does not look at counters that are in use. It activates the other set, and waits
//! until no sample is open in the set that was active:
//!
//! ```text
//!   recorder                            reader
//!   set = the active one                make the other set active
//!   begun of the set + 1                ended = its outcomes; wait until its begun is the same
//!   extremes, sum, bucket of the set    read everything in it
//!   outcome of the set + 1              begin again unless its begun still is `ended`
//! ```
//!
//! Outcomes are read first and `begun` last, each as a sum over all CPUs, and both only grow. If
//! they are equal, no sample was open between the two reads: an open sample would be in `begun`,
//! but not in the outcomes. A recorder may be preempted after it has found a set active, and before
//! it counts its sample as begun. Then it records the whole sample in the resting set, and the
//! sample belongs to the next reading.
//!
//! Because of such samples, a reading begins with the resting set, and then reads the set that was
//! active. The extremes stay in both sets until the next reset.
//!
//! # Clearing the extremes
//!
//! A recorder reads an extreme by a plain load, which the processor may execute before `begun` is
//! visible to other CPUs. So a reset clears the extremes, then makes all CPUs execute a barrier,
//! and then reads `begun`. If a recorder has compared with an old extreme, its sample is counted as
//! begun by then, and the reset waits for it. Later recorders see the cleared extreme.
//! `tests/host/src/samples.rs` explores all interleavings.

use super::{
    histogram::{
        self,
        BUCKETS, //
    },
    totals::Totals, //
};
use crate::ffi::percpu::counters::{
    CounterSlice,
    CpuCounterSets,
    Set, //
};
use kernel::alloc::AllocError;

/// The index of each counter. The latencies of each source follow them.
mod index {
    pub(super) const BEGUN: usize = 0;
    pub(super) const SUCCESS: usize = 1;
    pub(super) const FAILURE: usize = 2;
    pub(super) const LATENCY_MAX: usize = 3;
    /// The bitwise complement of the minimum, so that zero stands for "none yet".
    pub(super) const LATENCY_MIN_COMPLEMENT: usize = 4;
    pub(super) const HEAD: usize = 5;
}

/// The latencies of one source: a histogram, then the sum.
mod latencies {
    pub(super) use super::BUCKETS as SUM;

    pub(super) const LEN: usize = SUM + 1;
}

/// Returns how many counters samples need if their latencies are counted for this many sources.
pub(super) const fn counters(sources: usize) -> usize {
    index::HEAD + sources * latencies::LEN
}

/// Samples of one kind, in per-CPU counters. `N` is [`counters`] of the number of sources.
pub(super) struct Samples<const N: usize>(CpuCounterSets<N>);

/// A sample that is open.
#[must_use = "readings wait for its outcome"]
pub(super) struct Open<'a, const N: usize>(CounterSlice<'a, N>);

impl<const N: usize> Samples<N> {
    /// Makes counters that are all zero. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self(CpuCounterSets::new()?))
    }

    /// Opens a sample. Any context, NMI included.
    #[inline(always)]
    pub(super) fn open(&self) -> Open<'_, N> {
        let set = self.0.active();
        set.increment_at::<{ index::BEGUN }>();
        Open(set)
    }

    /// Returns how many samples ended with success. Any context.
    pub(super) fn successes(&self) -> u64 {
        [Set::First, Set::Second]
            .map(|set| self.0.of(set).sum(index::SUCCESS))
            .into_iter()
            .fold(0, u64::wrapping_add)
    }

    /// Reads a set: adds everything in it to `totals`, and the latencies of each source to those in
    /// `sources`. Task context only, may sleep.
    pub(super) fn add_to(&self, set: Set, totals: &mut Totals, sources: &mut [Totals]) {
        let counters = self.0.of(set);

        for part in 0..(N - index::HEAD) / latencies::LEN {
            let first = index::HEAD + part * latencies::LEN;
            let add = |totals: &mut Totals| {
                let mut sum = [0];
                counters.sum_each(first, &mut totals.latency);
                counters.sum_each(first + latencies::SUM, &mut sum);
                totals.latency_sum = totals.latency_sum.wrapping_add(sum[0]);
            };
            add(totals);
            if let Some(source) = sources.get_mut(part) {
                add(source);
            }
        }
        totals.success = totals.success.wrapping_add(counters.sum(index::SUCCESS));
        totals.failure = totals.failure.wrapping_add(counters.sum(index::FAILURE));
        totals.latency_max = totals.latency_max.max(counters.max(index::LATENCY_MAX));
        totals.latency_min = totals
            .latency_min
            .min(!counters.max(index::LATENCY_MIN_COMPLEMENT));
    }
}

impl<const N: usize> Open<'_, N> {
    /// Records the latency. `source` is taken modulo the number of sources. Any context, NMI
    /// included.
    #[inline(always)]
    pub(super) fn latency(&self, nanos: u64, source: usize) {
        self.0.raise::<{ index::LATENCY_MAX }>(nanos);
        self.0.raise::<{ index::LATENCY_MIN_COMPLEMENT }>(!nanos);

        // The latencies of the source, with as many counters before them as the first source has.
        let latencies = self
            .0
            .window::<{ index::HEAD + latencies::LEN }, { latencies::LEN }>(source);
        latencies.add_at::<{ index::HEAD + latencies::SUM }>(nanos);
        latencies.increment_after::<{ index::HEAD }>(histogram::index(nanos));
    }

    /// Records the outcome, which ends the sample. Any context, NMI included.
    #[inline(always)]
    pub(super) fn outcome(self, success: bool) {
        if success {
            self.0.increment_at::<{ index::SUCCESS }>();
        } else {
            self.0.increment_at::<{ index::FAILURE }>();
        }
    }
}

/// Samples with any number of sources, so that a reading can handle all of them alike.
pub(super) trait InSets {
    /// Returns how many samples of a set have begun.
    fn begun(&self, set: Set) -> u64;

    /// Returns how many samples of a set have ended.
    fn ended(&self, set: Set) -> u64;

    /// Makes recorders use a set from now on.
    fn activate(&self, set: Set);

    /// Clears the extremes of a set. The head of this file explains what else a reset has to do.
    fn forget_extremes(&self, set: Set);
}

impl<const N: usize> InSets for Samples<N> {
    fn begun(&self, set: Set) -> u64 {
        self.0.of(set).sum(index::BEGUN)
    }

    fn ended(&self, set: Set) -> u64 {
        let counters = self.0.of(set);
        counters
            .sum(index::SUCCESS)
            .wrapping_add(counters.sum(index::FAILURE))
    }

    fn activate(&self, set: Set) {
        self.0.activate(set);
    }

    fn forget_extremes(&self, set: Set) {
        let counters = self.0.of(set);
        counters.clear(index::LATENCY_MAX, |_| true);
        counters.clear(index::LATENCY_MIN_COMPLEMENT, |_| true);
    }
}
