// SPDX-License-Identifier: GPL-2.0

//! Outcomes and latencies, recorded so that one reading sees both of the same samples.
//!
//! # Vocabulary
//!
//! - A *sample* is one outcome, with its latency if that was measured.
//! - A sample is *open* while it is being recorded: it is counted as begun, its maximum, minimum,
//!   sum and bucket follow, and its outcome comes last. This takes a few instructions, but a task
//!   can be preempted in between, and continue on another CPU.
//!
//! # Why there are two sets of counters
//!
//! A recorder never waits, so a reader of one counter after the other will find half-recorded
//! samples: in the extremes but not yet in the histogram, in the sum but not yet in the outcomes.
//! Between two resets that does little harm. A reset, however, has to clear the extremes, which
//! cannot be subtracted. It would lose the extremes of a sample that is open, and is counted in its
//! bucket after the reset, and those of a sample that was recorded while the reset read the other
//! counters.
//!
//! So a reading does not look at counters that are in use. It makes the other set active, and waits
//! until no sample is open in the set that recorders used until then:
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
//! they are equal, no sample was open in between: an open one would be begun before the last read,
//! and not ended before the first. A recorder may be held up after it has found the set active, and
//! before it counts its sample as begun. Then it records the whole sample in the resting set, and
//! the sample belongs to the next reading.
//!
//! A reading begins with the resting set, for such samples, and goes on to the set that was active.
//! The extremes stay in both sets until the next reset.
//!
//! # Clearing the extremes
//!
//! A recorder compares with an extreme by a plain load, which the processor may do before its
//! `begun` is visible to others. So a reset makes all CPUs go through a barrier after it has
//! cleared the extremes, and looks at `begun` after that. A recorder that compared with an old
//! extreme has then counted its sample as begun, and the reset sees that and waits. A later
//! recorder sees the cleared extreme. `tests/host/src/samples.rs` explores all interleavings.

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

/// How many counters samples need whose latencies are told apart by this many sources.
pub(super) const fn counters(sources: usize) -> usize {
    index::HEAD + sources * latencies::LEN
}

/// Samples of one kind, in per-CPU counters. `N` is [`counters`] of the number of sources.
pub(super) struct Samples<const N: usize>(CpuCounterSets<N>);

/// A sample that is open.
#[must_use = "readings wait for its outcome"]
pub(super) struct Open<'a, const N: usize>(CounterSlice<'a, N>);

impl<const N: usize> Samples<N> {
    /// Allocates the counters. Task context only, may sleep.
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

    /// The successes, those of open samples not included. Any context.
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
    /// Records the latency. `source` counts modulo the number of sources. Any context, NMI
    /// included.
    #[inline(always)]
    pub(super) fn latency(&self, nanos: u64, source: usize) {
        self.0.raise::<{ index::LATENCY_MAX }>(nanos);
        self.0.raise::<{ index::LATENCY_MIN_COMPLEMENT }>(!nanos);

        // The latencies of the source, with as many counters before them as the first one's have.
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

/// Samples with any number of sources, for readings of all of them.
pub(super) trait InSets {
    /// Samples of a set that have been begun.
    fn begun(&self, set: Set) -> u64;

    /// Samples of a set that have ended.
    fn ended(&self, set: Set) -> u64;

    /// Makes recorders use a set from now on.
    fn activate(&self, set: Set);

    /// Clears the extremes of a set, which cannot be subtracted. The text at the head of this file
    /// says what else has to be done.
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
