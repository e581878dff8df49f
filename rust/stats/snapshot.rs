// SPDX-License-Identifier: GPL-2.0

//! The reading end.

use super::{
    histogram,
    totals::Totals,
    transfer::TransferSnapshot,
    Kind, //
};
use core::ops::Deref;
use kernel::prelude::*;

/// All series at one time. Its methods may be called in any context.
pub struct Snapshot {
    series: KVVec<SeriesSnapshot>,
    sources: KVVec<Latencies>,
    transfers: KVVec<TransferSnapshot>,
}

impl Snapshot {
    pub(super) fn new(
        series: KVVec<SeriesSnapshot>,
        sources: KVVec<Latencies>,
        transfers: KVVec<TransferSnapshot>,
    ) -> Self {
        Self {
            series,
            sources,
            transfers,
        }
    }

    /// The series, in the order in which they were named to [`Stats::new`](super::Stats::new).
    pub fn series(&self) -> &[SeriesSnapshot] {
        &self.series
    }

    /// The latencies by the source that was asked last, in the order of the sources' numbers.
    pub fn sources(&self) -> &[Latencies] {
        &self.sources
    }

    /// The transfers by kind, in the order of [`Transfer::ALL`](super::Transfer::ALL).
    pub fn transfers(&self) -> &[TransferSnapshot] {
        &self.transfers
    }

    /// The sum of `value` over the series with this context.
    pub fn sum(&self, context: &str, value: impl Fn(&SeriesSnapshot) -> u64) -> u64 {
        self.series
            .iter()
            .filter(|series| series.kind().context == context)
            .map(value)
            .sum()
    }

    /// The pages in flight, over all series.
    pub fn in_flight(&self) -> u64 {
        // Wrapping, like the difference itself: a negative one is a bug to be shown, not to die of.
        self.series
            .iter()
            .map(SeriesSnapshot::in_flight)
            .fold(0, u64::wrapping_add)
    }
}

/// One series at one time. Its methods may be called in any context.
pub struct SeriesSnapshot {
    kind: Kind,
    latencies: Latencies,
}

impl SeriesSnapshot {
    pub(super) fn new(kind: Kind, totals: Totals) -> Self {
        Self {
            kind,
            latencies: Latencies::new(totals),
        }
    }

    /// The labels.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Freed pages.
    pub fn freed(&self) -> u64 {
        self.latencies.totals.freed
    }

    /// Pages allocated and not freed.
    pub fn in_flight(&self) -> u64 {
        self.successes().wrapping_sub(self.freed())
    }

    /// Cycles of the exercise.
    pub fn cycles(&self) -> u64 {
        self.latencies.totals.cycles
    }

    /// Pages that did not hold what was written to them.
    pub fn corruptions(&self) -> u64 {
        self.latencies.totals.corruptions
    }
}

impl Deref for SeriesSnapshot {
    type Target = Latencies;

    fn deref(&self) -> &Latencies {
        &self.latencies
    }
}

/// Latencies at one time. Its methods may be called in any context.
pub struct Latencies {
    totals: Totals,
    samples: u64,
}

impl Latencies {
    pub(super) fn new(totals: Totals) -> Self {
        Self {
            samples: totals.latency.iter().sum(),
            totals,
        }
    }

    /// What succeeded.
    pub fn successes(&self) -> u64 {
        self.totals.success
    }

    /// What failed.
    pub fn failures(&self) -> u64 {
        self.totals.failure
    }

    /// The number of latencies in the histogram, those of failures included.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The sum of all latencies in nanoseconds.
    pub fn latency_sum(&self) -> u64 {
        self.totals.latency_sum
    }

    /// The smallest latency in nanoseconds, exact.
    pub fn latency_min(&self) -> Option<u64> {
        (self.totals.latency_min != u64::MAX).then_some(self.totals.latency_min)
    }

    /// The largest latency in nanoseconds, exact.
    pub fn latency_max(&self) -> Option<u64> {
        self.latency_min().map(|_| self.totals.latency_max)
    }

    /// A percentile of the latencies in nanoseconds: that many ten-thousandths of them are at most
    /// this. At most 1/16 too large, and never beyond the maximum.
    pub fn latency_percentile(&self, ten_thousandths: u64) -> Option<u64> {
        let max = self.latency_max()?;
        (self.samples != 0)
            .then(|| histogram::percentile(&self.totals.latency, ten_thousandths).min(max))
    }

    /// The histogram: how many latencies each bucket has.
    pub fn latency(&self) -> &[u64] {
        &self.totals.latency
    }
}
