// SPDX-License-Identifier: GPL-2.0

//! The writing end.

use super::{
    series::Series,
    Kind,
    Stats, //
};
use crate::ffi::clock::Moment;
use kernel::sync::Arc;

/// Records into one series.
#[derive(Clone)]
pub(crate) struct Recorder {
    stats: Arc<Stats>,
    kind: Kind,
}

impl Recorder {
    /// Makes a recorder for the series of `kind`.
    pub(crate) fn new(stats: Arc<Stats>, kind: Kind) -> Self {
        Self { stats, kind }
    }

    /// The series.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Notes that a page is about to be requested. Task, softirq and hard interrupt context.
    ///
    /// When recording is off this is a load and a branch.
    #[inline]
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            recorder: self,
            started: self.stats.recording().then(Moment::now),
        }
    }

    /// Notes that `pages` pages whose allocation was counted have been freed. Any context.
    #[inline]
    pub(crate) fn freed(&self, pages: u64) {
        if pages != 0 {
            self.series().frees(pages);
        }
    }

    /// Notes that a cycle of an exercise begins, if recording is on. Any context.
    pub(crate) fn cycle(&self) {
        if self.stats.recording() {
            self.series().cycle();
        }
    }

    /// Notes that `pages` pages did not hold what was written to them, whether recording is on or
    /// not. Any context.
    pub(crate) fn corruptions(&self, pages: u64) {
        if pages != 0 {
            self.series().corruptions(pages);
        }
    }

    #[inline]
    fn series(&self) -> &Series {
        &self.stats.series[self.kind as usize]
    }
}

/// A request for a page that is being served.
#[must_use = "a request that is never done is not recorded"]
pub(crate) struct Request<'a> {
    recorder: &'a Recorder,
    started: Option<Moment>,
}

impl Request<'_> {
    /// Records the outcome, the latency, and which source was asked last, by its number. Returns
    /// whether it counted an allocated page, which then has to be counted as freed, too.
    #[inline]
    pub(crate) fn done(self, success: bool, source: Option<usize>) -> bool {
        let Some(started) = self.started else {
            return false;
        };
        let nanos = Moment::now().nanos_since(started);

        self.recorder.series().allocation(success, nanos);
        if let Some(source) = source.and_then(|index| self.recorder.stats.sources.get(index)) {
            source.latency(nanos);
        }
        success
    }
}
