// SPDX-License-Identifier: GPL-2.0

//! Recording into a series.

use super::{
    series::Series,
    Event,
    Kind,
    Recording,
    Stats, //
};
use crate::ffi::time::clock::Moment;
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Records into one series.
#[derive(Clone)]
pub struct Recorder {
    stats: Arc<Stats>,
    series: Arc<Series>,
    number: usize,
}

impl Recorder {
    /// Makes a recorder for the series with these labels. Any context. `ENOENT` if `stats` has no
    /// such series.
    pub fn new(stats: Arc<Stats>, labels: Kind) -> Result<Self> {
        let number = stats.kinds.iter().position(|kind| *kind == labels);
        let number = number.ok_or(ENOENT)?;
        Ok(Self {
            series: stats.series[number].clone(),
            stats,
            number,
        })
    }

    /// Returns the number of the series, in the order of the kinds that [`Stats::new`] got. Any
    /// context.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Notes that a page is about to be requested. Task, softirq and hard interrupt context.
    ///
    /// If recording is off, this costs two loads and branches.
    #[inline(always)]
    pub fn request(&self) -> Attempt<'_> {
        // One comparison after the other: with a `match` the compiler would test the most frequent
        // value last.
        let noted = if self.stats.recording() == Recording::Full {
            Noted::Time(Moment::now())
        } else if self.stats.recording() == Recording::Off {
            Noted::Nothing
        } else {
            Noted::Attempt
        };
        Attempt {
            series: &self.series,
            noted,
        }
    }

    /// Counts `pages` pages as freed. Their allocation must have been counted. Any context.
    #[inline(always)]
    pub fn freed(&self, pages: u64) {
        if pages != 0 {
            self.series.frees(pages);
        }
    }

    /// Counts `n` events, if recording is on. Any context.
    pub fn count(&self, event: Event, n: u64) {
        if self.stats.recording() != Recording::Off {
            self.series.events(event, n);
        }
    }

    /// Counts `pages` pages whose contents were not what had been written to them, even if
    /// recording is off. Any context.
    pub fn corruptions(&self, pages: u64) {
        if pages != 0 {
            self.series.events(Event::Corruption, pages);
        }
    }
}

/// A request for a page that is being served.
#[must_use = "a request that is never done is not recorded"]
pub struct Attempt<'a> {
    series: &'a Series,
    noted: Noted,
}

/// The note that is made when a request begins.
enum Noted {
    /// Recording is off.
    Nothing,
    /// The request is to be counted.
    Attempt,
    /// The request is to be counted and timed. It began at this time.
    Time(Moment),
}

impl Attempt<'_> {
    /// Records the outcome and the latency. `source` is the number of the source that was asked
    /// last, modulo [`SOURCES`](super::SOURCES). If this returns `true`, it has counted an
    /// allocated page, which must later be counted as freed.
    #[inline(always)]
    pub fn done(self, success: bool, source: usize) -> bool {
        let samples = &self.series.samples;
        let sample = match self.noted {
            Noted::Nothing => return false,
            Noted::Attempt => samples.open(),
            Noted::Time(started) => {
                let nanos = Moment::now().nanos_since(started);
                let sample = samples.open();
                sample.latency(nanos, source);
                sample
            }
        };
        sample.outcome(success);
        success
    }
}
