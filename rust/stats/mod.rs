// SPDX-License-Identifier: GPL-2.0

//! What happened: counters and latencies that the other parts record into.
//!
//! # Vocabulary
//!
//! - A *series* is what is counted together: one [`Kind`], that is one context and one set of
//!   allocation flags. Latencies are told apart once more by *source*, that is by a number.
//! - A [`Recorder`] is the writing end, for any context: no locks, no allocation, only atomic
//!   operations on memory of the CPU it runs on.
//! - A *hand-over* is counted by its kind, see [`Handover`]; whoever does it finds the statistics by
//!   itself.
//! - A [`View`] is the reading end: all of it at one time, counted from the last reset.
//!
//! # In flight
//!
//! The pages in flight are the successful allocations less the frees of the same view, so the two
//! always agree. That the difference is never negative is a matter of order: a page is counted as
//! allocated before it is counted as freed, and a view reads the frees first.

#![forbid(unsafe_code)]

pub(crate) mod handover;
pub(crate) mod histogram;
mod kind;
mod recorder;
mod recording;
mod series;
mod view;

pub(crate) use handover::{
    Handover,
    HandoverView, //
};
pub(crate) use kind::{
    Context,
    Kind, //
};
pub(crate) use recorder::Recorder;
pub(crate) use recording::Recording;
pub(crate) use series::SOURCES;
pub(crate) use view::{
    Latencies,
    SeriesView,
    View, //
};

use crate::ffi::{
    clock,
    percpu::Tally, //
};
use handover::Handovers;
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
    series: [Arc<Series>; Kind::COUNT],
    handovers: Handovers,
    clock_nanos: u64,
    /// What the last reset subtracts from everything, `None` before the first.
    #[pin]
    baseline: Mutex<Option<AllTotals>>,
}

/// The totals of everything.
struct AllTotals {
    series: KVVec<Totals>,
    sources: KVVec<Totals>,
    handovers: KVVec<Totals>,
}

impl Stats {
    /// Makes statistics that are all zero, and measures the clock. Task context only, may sleep.
    pub(crate) fn new(recording: Recording) -> Result<Arc<Self>> {
        let series = || Arc::new(Series::new()?, GFP_KERNEL);
        let series = [series()?, series()?, series()?, series()?, series()?];
        let handovers = Handovers::new()?;

        Arc::pin_init(
            pin_init!(Self {
                recording: Tally::new(recording as u64),
                series,
                handovers,
                clock_nanos: clock::read_cost_nanos(),
                baseline <- new_mutex!(None),
            }),
            GFP_KERNEL,
        )
    }

    /// What is recorded of new allocations.
    #[inline(always)]
    pub(crate) fn recording(&self) -> Recording {
        const OFF: u64 = Recording::Off as u64;
        const FULL: u64 = Recording::Full as u64;
        match self.recording.read() {
            OFF => Recording::Off,
            FULL => Recording::Full,
            // Only numbers of these are ever in there.
            _ => Recording::Counters,
        }
    }

    /// Chooses what is recorded of new allocations.
    ///
    /// Pages whose allocation was counted are counted when they are freed, even when recording is
    /// off by then.
    pub(crate) fn set_recording(&self, recording: Recording) {
        self.recording.set(recording as u64);
    }

    /// The cost of reading the clock once, in nanoseconds. Every latency contains about one.
    pub(crate) fn clock_nanos(&self) -> u64 {
        self.clock_nanos
    }

    /// Reads everything. Task context only, may sleep.
    pub(crate) fn view(&self) -> Result<View> {
        let baseline = self.baseline.lock();
        let mut now = self.totals()?;

        if let Some(earlier) = baseline.as_ref() {
            now.subtract(earlier);
        }
        let mut series = KVVec::with_capacity(Kind::COUNT, GFP_KERNEL)?;
        for (kind, totals) in Kind::ALL.into_iter().zip(now.series) {
            series.push(SeriesView::new(kind, totals), GFP_KERNEL)?;
        }
        let mut sources = KVVec::with_capacity(SOURCES, GFP_KERNEL)?;
        for totals in now.sources {
            sources.push(Latencies::new(totals), GFP_KERNEL)?;
        }
        let mut handovers = KVVec::with_capacity(Handover::COUNT, GFP_KERNEL)?;
        for (kind, totals) in Handover::ALL.into_iter().zip(now.handovers) {
            handovers.push(HandoverView::new(kind, totals), GFP_KERNEL)?;
        }
        Ok(View::new(series, sources, handovers))
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
        let mut now = self.totals()?;

        for totals in &mut now.series {
            totals.success = totals.freed;
        }
        for series in &self.series {
            series.forget_extremes();
        }
        self.handovers.forget_extremes();
        *baseline = Some(now);
        Ok(())
    }

    /// Everything since the module was loaded.
    fn totals(&self) -> Result<AllTotals> {
        let mut series = KVVec::with_capacity(Kind::COUNT, GFP_KERNEL)?;
        let mut sources = KVVec::with_capacity(SOURCES, GFP_KERNEL)?;

        for _ in 0..SOURCES {
            sources.push(Totals::zero()?, GFP_KERNEL)?;
        }
        for one in &self.series {
            series.push(one.totals(&mut sources)?, GFP_KERNEL)?;
        }
        Ok(AllTotals {
            series,
            sources,
            handovers: self.handovers.totals()?,
        })
    }
}

impl AllTotals {
    /// Subtracts what was there at an earlier time.
    fn subtract(&mut self, earlier: &Self) {
        for (totals, earlier) in self.series.iter_mut().zip(&earlier.series) {
            totals.subtract(earlier);
        }
        for (totals, earlier) in self.sources.iter_mut().zip(&earlier.sources) {
            totals.subtract(earlier);
        }
        for (totals, earlier) in self.handovers.iter_mut().zip(&earlier.handovers) {
            totals.subtract(earlier);
        }
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
