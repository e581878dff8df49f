// SPDX-License-Identifier: GPL-2.0

//! Snapshots: all numbers at one time.

use super::{
    histogram,
    latency_histogram::LatencyHistogram,
    row::{
        At,
        Label,
        Row, //
    },
    totals::Totals,
    transfer::TransferSnapshot,
    Event,
    Kind,
    Recording, //
};
use core::{
    iter,
    ops::Deref, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// All series and transfers at one time. Its methods may be called in any context.
pub struct Snapshot {
    kinds: &'static [Kind],
    series: KVVec<SeriesSnapshot>,
    sources: KVVec<Latencies>,
    transfers: KVVec<TransferSnapshot>,
    recording: Recording,
    clock_nanos: u64,
}

/// The label of outcomes.
pub(crate) const OUTCOME: Label = Label::new("outcome", &["success", "failure"]);

/// The label of quantiles. They are computed from the whole histogram, so they are more precise
/// than the buckets in reports. 0 is the exact minimum, and 1 the exact maximum.
pub(crate) const QUANTILE: Label =
    Label::new("quantile", &["0.0", "0.5", "0.9", "0.99", "0.999", "1.0"]);

pub(super) static ROWS: [Row<Snapshot>; 6] = [
    Row::counter(
        "page_alloc",
        "Page allocations.",
        &[Label::SERIES, OUTCOME],
        |snapshot, [series, outcome, _]| snapshot.series[series].outcomes(outcome),
    ),
    Row::latencies(
        "page_alloc_latency_seconds",
        "Latency of page allocations, failed ones included.",
        &[Label::SERIES],
        1,
        |snapshot, [series, ..]| Some(&snapshot.series[series]),
    ),
    Row::optional(
        "page_alloc_latency_quantile_seconds",
        "Quantiles of the latency, at most 1/16 too large; 0 and 1 are exact.",
        &[Label::SERIES, QUANTILE],
        |snapshot: &Snapshot, [series, quantile, _]| snapshot.series[series].quantile(quantile),
    )
    .nanos(),
    Row::gauge(
        "pages_in_flight",
        "Pages allocated and not freed.",
        &[],
        |snapshot, _| snapshot.in_flight(),
    ),
    Row::gauge(
        "recording",
        "1 while allocations are recorded, 2 while only their outcomes are.",
        &[],
        |snapshot, _| snapshot.recording as u64,
    ),
    Row::gauge(
        "clock_read_seconds",
        "Cost of reading the clock; each latency contains about one read.",
        &[],
        |snapshot: &Snapshot, _| snapshot.clock_nanos,
    )
    .nanos(),
];

impl Snapshot {
    pub(super) fn new(
        kinds: &'static [Kind],
        series: KVVec<SeriesSnapshot>,
        sources: KVVec<Latencies>,
        transfers: KVVec<TransferSnapshot>,
        recording: Recording,
        clock_nanos: u64,
    ) -> Self {
        Self {
            kinds,
            series,
            sources,
            transfers,
            recording,
            clock_nanos,
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

    /// The transfers by kind, in the order of their [`TransferKinds`](super::TransferKinds).
    pub fn transfers(&self) -> &[TransferSnapshot] {
        &self.transfers
    }

    /// Returns the number of events in one context, by its index in [`Kind::contexts`].
    pub(super) fn events(&self, event: Event, [index, ..]: At) -> u64 {
        let context = Kind::contexts(self.kinds).nth(index);
        context.map_or(0, |context| {
            self.sum(context, |series| series.events(event))
        })
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
        // A negative number would be a bug. It is shown as a huge number, and does not panic.
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

    /// The context and the allocation flags.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Events of one kind.
    pub(super) fn events(&self, event: Event) -> u64 {
        self.latencies.totals.events[event as usize]
    }

    /// Freed pages.
    pub fn freed(&self) -> u64 {
        self.events(Event::Freed)
    }

    /// Pages allocated and not freed.
    pub fn in_flight(&self) -> u64 {
        self.successes().wrapping_sub(self.freed())
    }

    /// Cycles of the exercise.
    pub fn cycles(&self) -> u64 {
        self.events(Event::Cycle)
    }

    /// Pages whose contents were not what had been written to them.
    pub fn corruptions(&self) -> u64 {
        self.events(Event::Corruption)
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

    /// Makes latencies without any. Task context only, may sleep.
    pub(super) fn none() -> Result<Self, AllocError> {
        Ok(Self::new(Totals::zero()?))
    }

    /// Makes these the latencies in a histogram, without those of the time when its buckets and its
    /// sum were `earlier`.
    pub(super) fn set(&mut self, histogram: &LatencyHistogram, earlier: &[u64]) {
        let Totals {
            latency,
            latency_sum,
            ..
        } = &mut self.totals;
        *latency_sum = histogram.read(latency);
        let numbers = Iterator::chain(latency.iter_mut(), iter::once(latency_sum));
        for (number, earlier) in numbers.zip(earlier) {
            *number = number.saturating_sub(*earlier);
        }
        self.samples = latency.iter().sum();
    }

    /// How many requests or transfers succeeded.
    pub fn successes(&self) -> u64 {
        self.totals.success
    }

    /// How many failed.
    pub fn failures(&self) -> u64 {
        self.totals.failure
    }

    /// How many had an outcome, by its index in [`OUTCOME`].
    pub(crate) fn outcomes(&self, outcome: usize) -> u64 {
        match outcome {
            0 => self.successes(),
            _ => self.failures(),
        }
    }

    /// A quantile in nanoseconds, by its index in [`QUANTILE`].
    pub(crate) fn quantile(&self, quantile: usize) -> Option<u64> {
        match quantile {
            0 => self.latency_min(),
            1 => self.latency_percentile(5_000),
            2 => self.latency_percentile(9_000),
            3 => self.latency_percentile(9_900),
            4 => self.latency_percentile(9_990),
            _ => self.latency_max(),
        }
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

    /// A percentile of the latencies in nanoseconds: `ten_thousandths` of 10,000 latencies are no
    /// longer than this. It is at most 1/16 too large, and never larger than the maximum.
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
