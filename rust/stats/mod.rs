// SPDX-License-Identifier: GPL-2.0

//! What happened: counters and latencies that the other parts record into.
//!
//! # Vocabulary
//!
//! - A *series* is what is counted together: one [`Kind`], that is one context and one set of
//!   allocation flags.
//! - A [`Recorder`] is the writing end, for any context: no locks, no allocation, only atomic
//!   operations on memory of the CPU it runs on.
//! - A [`View`] is the reading end: all series at one time, counted from the last reset.
//!
//! # In flight
//!
//! The pages in flight are the successful allocations less the frees of the same view, so the two
//! always agree. That the difference is never negative is a matter of order: a page is counted as
//! allocated before it is counted as freed, and a view reads the frees first.

#![forbid(unsafe_code)]

pub(crate) mod histogram;
mod kind;
mod recorder;
mod series;
mod view;

pub(crate) use kind::{
    Context,
    Kind, //
};
pub(crate) use recorder::Recorder;
pub(crate) use view::{
    Latencies,
    SeriesView,
    View, //
};

use crate::ffi::{
    clock,
    percpu::Tally, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};
use series::{
    Series,
    Totals, //
};

/// All statistics of the module.
#[pin_data]
pub(crate) struct Stats {
    recording: Tally,
    series: [Series; Kind::COUNT],
    /// The same requests once more, by the source that was asked last.
    sources: KVec<Series>,
    clock_nanos: u64,
    /// What the last reset subtracts from everything, sources after series, `None` before the first.
    #[pin]
    baseline: Mutex<Option<KVVec<Totals>>>,
}

impl Stats {
    /// Makes statistics that are all zero, with so many sources told apart, and measures the clock.
    /// Task context only, may sleep.
    pub(crate) fn new(recording: bool, source_count: usize) -> Result<Arc<Self>> {
        let series = [
            Series::new()?,
            Series::new()?,
            Series::new()?,
            Series::new()?,
        ];

        let mut sources = KVec::with_capacity(source_count, GFP_KERNEL)?;
        for _ in 0..source_count {
            sources.push(Series::new()?, GFP_KERNEL)?;
        }

        Arc::pin_init(
            pin_init!(Self {
                recording: Tally::new(recording.into()),
                series,
                sources,
                clock_nanos: clock::read_cost_nanos(),
                baseline <- new_mutex!(None),
            }),
            GFP_KERNEL,
        )
    }

    /// Whether new allocations are recorded.
    #[inline]
    pub(crate) fn recording(&self) -> bool {
        self.recording.read() != 0
    }

    /// Switches recording on or off.
    ///
    /// Pages whose allocation was counted are counted when they are freed, even when recording is
    /// off by then.
    pub(crate) fn set_recording(&self, on: bool) {
        self.recording.set(on.into());
    }

    /// The cost of reading the clock once, in nanoseconds. Every latency contains about one.
    pub(crate) fn clock_nanos(&self) -> u64 {
        self.clock_nanos
    }

    /// Reads everything. Task context only, may sleep.
    pub(crate) fn view(&self) -> Result<View> {
        let baseline = self.baseline.lock();
        let mut series = KVVec::with_capacity(Kind::COUNT, GFP_KERNEL)?;

        for (i, kind) in Kind::ALL.into_iter().enumerate() {
            let mut totals = self.series[i].totals()?;
            if let Some(baseline) = baseline.as_ref() {
                totals.subtract(&baseline[i]);
            }
            series.push(SeriesView::new(kind, totals), GFP_KERNEL)?;
        }
        let mut sources = KVVec::with_capacity(self.sources.len(), GFP_KERNEL)?;
        for (i, source) in self.sources.iter().enumerate() {
            let mut totals = source.totals()?;
            if let Some(baseline) = baseline.as_ref() {
                totals.subtract(&baseline[Kind::COUNT + i]);
            }
            sources.push(Latencies::new(totals), GFP_KERNEL)?;
        }
        Ok(View::new(series, sources))
    }

    /// Counts from zero again. Task context only, may sleep.
    ///
    /// Pages that are in flight stay so: they count as allocated since the reset, so that what is
    /// allocated, freed and in flight agrees before and after. Their latencies do not count, so
    /// there are fewer samples than outcomes then.
    ///
    /// On an error (no memory) nothing has changed.
    pub(crate) fn reset(&self) -> Result {
        let mut baseline = self.baseline.lock();
        let mut totals = KVVec::with_capacity(Kind::COUNT + self.sources.len(), GFP_KERNEL)?;

        for series in &self.series {
            let mut now = series.totals()?;
            now.success = now.freed;
            totals.push(now, GFP_KERNEL)?;
        }
        for source in &self.sources {
            totals.push(source.totals()?, GFP_KERNEL)?;
        }
        for series in &self.series {
            series.forget_extremes();
        }
        for source in &self.sources {
            source.forget_extremes();
        }
        *baseline = Some(totals);
        Ok(())
    }
}

/// Reports pages that are still in flight when it is dropped: at unload, after everything that
/// could free them is gone. It knows of the pages whose allocation was recorded.
pub(crate) struct LeakCheck(pub(crate) Arc<Stats>);

impl Drop for LeakCheck {
    fn drop(&mut self) {
        for (kind, series) in Kind::ALL.into_iter().zip(&self.0.series) {
            let leaked = series.in_flight();
            if leaked != 0 {
                pr_err!(
                    "{} page(s) leaked: context {}, {}\n",
                    leaked,
                    kind.context().name(),
                    kind.gfp()
                );
            }
        }
    }
}
