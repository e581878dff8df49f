// SPDX-License-Identifier: GPL-2.0

//! Counters and latencies, and the registry that reports read them from.
//!
//! # Vocabulary
//!
//! - A *series* has the counters of one [`Kind`]: of one context and one set of allocation flags.
//!   The maker of the statistics chooses the series. Their latencies are also counted by *source*:
//!   by the tier of a pool that was asked last.
//! - A [`Recorder`] writes to one series. It works in any context, because it takes no locks and
//!   allocates nothing: it only uses atomic operations on memory of its own CPU.
//! - A *transfer* of ownership of a page is counted by its kind, see `rust/page`.
//! - A [`Snapshot`] has all of these numbers at one time, counted from the last reset.
//! - A [`Row`] describes a number that reports show, and how to read it. Pools, guards and drivers
//!   have rows of their own. The [`Registry`] knows all rows.
//! - A [`LatencyHistogram`] has latencies that a driver records.
//!
//! # In flight
//!
//! The number of pages in flight is computed: the successful allocations of a snapshot minus its
//! frees. So the three numbers always agree. The difference is never negative, because a page is
//! counted as allocated before it is counted as freed, and a snapshot reads the frees first. The
//! successes that were counted before the frees were read are in one of the two sets of counters,
//! and the snapshot reads both sets after the frees.

#![forbid(unsafe_code)]

pub mod histogram;
mod kind;
mod latency_histogram;
mod recorder;
mod recording;
mod registry;
mod reported;
mod row;
mod samples;
mod series;
mod snapshot;
mod totals;
mod transfer;

pub use kind::Kind;
pub use latency_histogram::LatencyHistogram;
pub use recorder::{
    Attempt,
    Recorder, //
};
pub use recording::Recording;
pub use registry::{
    Family,
    Labels,
    Registration,
    Registry,
    Report, //
};
pub(crate) use row::{
    label,
    names, //
};
pub use row::{
    At,
    Head,
    Label,
    Row,
    Type,
    Value,
    MAX_LABELS, //
};
pub use series::{
    Event,
    SOURCES, //
};
pub use snapshot::{
    Latencies,
    SeriesSnapshot,
    Snapshot, //
};
pub(crate) use snapshot::{
    OUTCOME,
    QUANTILE, //
};
pub(crate) use transfer::TransferNoted;
pub use transfer::{
    TransferKinds,
    TransferSnapshot, //
};

use crate::ffi::{
    percpu::counters::{
        barrier_on_all_cpus,
        Counter,
        Set, //
    },
    time::clock, //
};
use kernel::{
    alloc::AllocError,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use samples::InSets;
use series::Series;
use totals::Totals;
use transfer::Transfers;

/// The statistics of allocations and transfers.
#[pin_data]
pub struct Stats {
    recording: Counter,
    /// The labels of the series, in the same order.
    kinds: &'static [Kind],
    series: KVec<Arc<Series>>,
    transfers: Transfers,
    clock_nanos: u64,
    #[pin]
    reading: Mutex<Reading>,
}

/// The state that readings need. Its lock lets one reading run at a time.
struct Reading {
    /// The set of counters that is active.
    active: Set,
    /// The totals at the last reset, which readings subtract. `None` before the first reset.
    baseline: Option<AllTotals>,
}

/// The totals of everything.
struct AllTotals {
    series: KVVec<Totals>,
    sources: KVVec<Totals>,
    transfers: KVVec<Totals>,
}

/// Whether a reading keeps the extremes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extremes {
    Stay,
    AreForgotten,
}

impl Stats {
    /// Makes statistics that are all zero, with a series for each of `kinds`, and measures the
    /// clock. Task context only, may sleep. `ENOMEM` if there is no memory.
    pub fn new(
        recording: Recording,
        kinds: &'static [Kind],
        transfers: &'static TransferKinds,
    ) -> Result<Arc<Self>> {
        let mut series = KVec::with_capacity(kinds.len(), GFP_KERNEL)?;
        for _ in kinds {
            series.push(Arc::new(Series::new()?, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        let transfers = Transfers::new(transfers)?;

        Arc::pin_init(
            pin_init!(Self {
                recording: Counter::new(recording as u64),
                kinds,
                series,
                transfers,
                clock_nanos: clock::read_cost_nanos(),
                reading <- new_mutex!(Reading {
                    active: Set::First,
                    baseline: None,
                }),
            }),
            GFP_KERNEL,
        )
    }

    /// Returns what is recorded of new requests. Any context.
    #[inline(always)]
    pub fn recording(&self) -> Recording {
        const OFF: u64 = Recording::Off as u64;
        const FULL: u64 = Recording::Full as u64;
        match self.recording.read() {
            OFF => Recording::Off,
            FULL => Recording::Full,
            // Only the numbers of modes are stored, so this is `Counters`.
            _ => Recording::Counters,
        }
    }

    /// Sets what is recorded of new requests. Any context.
    ///
    /// A page whose allocation was counted is also counted when it is freed, even if recording is
    /// off by then.
    pub fn set_recording(&self, recording: Recording) {
        self.recording.set(recording as u64);
    }

    /// Returns how long it takes to read the clock, in nanoseconds. Each latency includes about one
    /// read. Any context.
    pub fn clock_nanos(&self) -> u64 {
        self.clock_nanos
    }

    /// Takes a snapshot of all numbers. Task context only, sleeps until no sample that it reads is
    /// open. `ENOMEM` if there is no memory.
    ///
    /// For each series and each kind of transfer, the outcomes, the histogram, the sum and the
    /// extremes are those of the same samples.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut reading = self.reading.lock();
        let mut now = self.totals(&mut reading, Extremes::Stay)?;

        if let Some(earlier) = reading.baseline.as_ref() {
            now.subtract(earlier);
        }
        let mut series = KVVec::with_capacity(self.kinds.len(), GFP_KERNEL)?;
        for (kind, totals) in self.kinds.iter().zip(now.series) {
            series.push(SeriesSnapshot::new(*kind, totals), GFP_KERNEL)?;
        }
        let mut sources = KVVec::with_capacity(SOURCES, GFP_KERNEL)?;
        for totals in now.sources {
            sources.push(Latencies::new(totals), GFP_KERNEL)?;
        }
        let names = self.transfers.names();
        let mut transfers = KVVec::with_capacity(names.len(), GFP_KERNEL)?;
        for (name, totals) in names.iter().zip(now.transfers) {
            transfers.push(TransferSnapshot::new(name, totals), GFP_KERNEL)?;
        }
        Ok(Snapshot::new(
            self.kinds,
            series,
            sources,
            transfers,
            self.recording(),
            self.clock_nanos,
        ))
    }

    /// Counts from zero again. Task context only, sleeps as [`Self::snapshot`] does.
    ///
    /// Each sample counts as a whole, either for the time before the reset or for the time after
    /// it.
    ///
    /// Pages that are in flight count as allocated since the reset, so that the numbers of pages
    /// allocated, freed and in flight agree. Their latencies are not counted, so there are fewer
    /// samples than outcomes after the reset.
    ///
    /// `ENOMEM` if there is no memory; then nothing has changed.
    pub fn reset(&self) -> Result {
        let mut reading = self.reading.lock();
        let mut now = self.totals(&mut reading, Extremes::AreForgotten)?;

        for totals in &mut now.series {
            totals.success = totals.events[Event::Freed as usize];
        }
        reading.baseline = Some(now);
        Ok(())
    }

    /// Returns all totals since these statistics were made, and the extremes since the last reset.
    /// On an error nothing has changed.
    fn totals(&self, reading: &mut Reading, extremes: Extremes) -> Result<AllTotals> {
        let transfers = self.transfers.names().len();
        let mut now = AllTotals::zero(self.series.len(), transfers)?;
        let mut part = AllTotals::zero(self.series.len(), transfers)?;

        for (series, totals) in self.series.iter().zip(&mut now.series) {
            series.add_events_to(totals);
        }
        self.transfers.add_elsewhere_to(&mut now.transfers);
        let active = reading.active;
        self.add_set(active.other(), extremes, &mut part, &mut now);
        reading.active = active.other();
        for samples in self.samples() {
            samples.activate(reading.active);
        }
        self.add_set(active, extremes, &mut part, &mut now);
        Ok(now)
    }

    /// Waits until no sample of a set is open, and adds the samples to `now`; [`samples`] explains
    /// how. The set must not be active. `part` is scratch space.
    fn add_set(&self, set: Set, extremes: Extremes, part: &mut AllTotals, now: &mut AllTotals) {
        loop {
            let ended = self.wait_until_all_have_ended(set);
            if extremes == Extremes::AreForgotten {
                for samples in self.samples() {
                    samples.forget_extremes(set);
                }
                barrier_on_all_cpus();
            }
            part.clear();
            for (series, totals) in self.series.iter().zip(&mut part.series) {
                series.samples.add_to(set, totals, &mut part.sources);
            }
            for (samples, totals) in self.transfers.samples().iter().zip(&mut part.transfers) {
                samples.add_to(set, totals, &mut []);
            }
            if self.begun(set) == ended {
                return now.add(part);
            }
        }
    }

    /// Waits until no sample is open in a set, and returns how many have ended.
    fn wait_until_all_have_ended(&self, set: Set) -> u64 {
        /// A sample whose recorder is running ends within this many tries.
        const TRIES: usize = 20;

        let mut tries = 0;
        loop {
            let samples = self.samples();
            let ended = samples.fold(0, |sum: u64, one| sum.wrapping_add(one.ended(set)));
            if self.begun(set) == ended {
                return ended;
            }
            if tries < TRIES {
                tries += 1;
            } else {
                // The recorder is a task that was preempted.
                fsleep(Delta::from_millis(1));
            }
        }
    }

    fn begun(&self, set: Set) -> u64 {
        self.samples()
            .fold(0, |sum, one| sum.wrapping_add(one.begun(set)))
    }

    /// Returns the samples of all series and transfers.
    fn samples(&self) -> impl Iterator<Item = &dyn InSets> {
        let series = self.series.iter().map(|one| &one.samples as &dyn InSets);
        let transfers = self.transfers.samples().iter();
        Iterator::chain(series, transfers.map(|one| one as &dyn InSets))
    }
}

impl AllTotals {
    /// Makes totals for this many series and kinds of transfers, all zero. Task context only, may
    /// sleep.
    fn zero(series: usize, transfers: usize) -> Result<Self, AllocError> {
        Ok(Self {
            series: Totals::zeroes(series)?,
            sources: Totals::zeroes(SOURCES)?,
            transfers: Totals::zeroes(transfers)?,
        })
    }

    /// Sets all totals to zero.
    fn clear(&mut self) {
        let Self {
            series,
            sources,
            transfers,
        } = self;
        for all in [series, sources, transfers] {
            all.iter_mut().for_each(Totals::clear);
        }
    }

    /// Adds other totals.
    fn add(&mut self, other: &Self) {
        self.each(other, Totals::add);
    }

    /// Subtracts the totals of an earlier time.
    fn subtract(&mut self, earlier: &Self) {
        self.each(earlier, Totals::subtract);
    }

    fn each(&mut self, other: &Self, operation: impl Fn(&mut Totals, &Totals)) {
        for (own, other) in [
            (&mut self.series, &other.series),
            (&mut self.sources, &other.sources),
            (&mut self.transfers, &other.transfers),
        ] {
            for (own, other) in own.iter_mut().zip(other) {
                operation(own, other);
            }
        }
    }
}

/// Logs how many pages are still in flight when it is dropped. The module drops it after everything
/// that could free pages. Pages whose allocation was not recorded are not found.
pub struct LeakCheck(pub Arc<Stats>);

impl Drop for LeakCheck {
    fn drop(&mut self) {
        for (kind, series) in self.0.kinds.iter().zip(&self.0.series) {
            let leaked = series.in_flight();
            if leaked != 0 {
                pr_err!(
                    "{} page(s) leaked: context {}, {}\n",
                    leaked,
                    kind.context,
                    kind.gfp
                );
            }
        }
    }
}
