// SPDX-License-Identifier: GPL-2.0

//! What came of the bursts.

use kernel::{
    alloc::AllocError,
    prelude::*, //
};
use labyrinth::{
    mm::Memory,
    stats::histogram::{
        self,
        BUCKETS, //
    }, //
};

/// Latencies of requests, in nanoseconds, each with one clock read in it.
pub(crate) struct Latencies {
    counts: KVec<u64>,
    max: u64,
}

impl Latencies {
    fn new() -> Result<Self, AllocError> {
        Ok(Self {
            counts: KVec::from_elem(0, BUCKETS, GFP_KERNEL)?,
            max: 0,
        })
    }

    fn add(&mut self, nanos: u64) {
        if let Some(count) = self.counts.get_mut(histogram::index(nanos)) {
            *count += 1;
        }
        self.max = self.max.max(nanos);
    }

    /// The bucket edge that so many ten thousandths of the latencies do not exceed, but never more
    /// than [`Self::max`].
    pub(crate) fn percentile(&self, ten_thousandths: u64) -> u64 {
        histogram::percentile(&self.counts, ten_thousandths).min(self.max)
    }

    /// The largest latency, exactly.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }
}

/// One burst.
#[derive(Clone, Copy)]
pub(crate) struct Last {
    /// Requests.
    pub(crate) asked: u64,
    /// Requests that failed.
    pub(crate) dropped: u64,
    /// Pages from below a min watermark.
    pub(crate) emergency: u64,
    /// How long all requests took together, with what it takes to observe them, in nanoseconds.
    pub(crate) nanos: u64,
    /// Memory before the first request.
    pub(crate) before: Memory,
    /// Memory after the last request, with all pages still held.
    pub(crate) after: Memory,
    /// How long its reserve took to be full again, in nanoseconds; [`None`] if it has none or was
    /// not full in time.
    pub(crate) recovered: Option<u64>,
}

/// All bursts of one contestant.
pub(crate) struct Record {
    /// Bursts.
    pub(crate) bursts: u64,
    /// Requests.
    pub(crate) asked: u64,
    /// Requests that failed.
    pub(crate) dropped: u64,
    /// Pages from below a min watermark.
    pub(crate) emergency: u64,
    /// The size of its reserve, 0 if it has none.
    pub(crate) reserve: u64,
    /// Bursts after which its reserve was not full again in time.
    pub(crate) not_recovered: u64,
    /// The longest time that its reserve took to be full again, in nanoseconds.
    pub(crate) longest_recovery: u64,
    /// Of the requests that got a page.
    pub(crate) served: Latencies,
    /// Of the requests that failed.
    pub(crate) failed: Latencies,
    /// The last burst.
    pub(crate) last: Option<Last>,
}

impl Record {
    /// An empty record. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        Ok(Self {
            bursts: 0,
            asked: 0,
            dropped: 0,
            emergency: 0,
            reserve: 0,
            not_recovered: 0,
            longest_recovery: 0,
            served: Latencies::new()?,
            failed: Latencies::new()?,
            last: None,
        })
    }

    /// Counts a request.
    pub(super) fn request(&mut self, served: bool, nanos: u64) {
        if served {
            self.served.add(nanos);
        } else {
            self.failed.add(nanos);
        }
    }

    /// Counts a burst, whose requests are counted already.
    pub(super) fn burst(&mut self, burst: Last) {
        self.bursts += 1;
        self.asked += burst.asked;
        self.dropped += burst.dropped;
        self.emergency += burst.emergency;
        self.last = Some(burst);
    }

    /// Adds to the last burst how long its reserve of so many pages took to be full again, [`None`]
    /// for too long.
    pub(super) fn recovery(&mut self, reserve: u64, nanos: Option<u64>) {
        self.reserve = reserve;
        if let Some(last) = &mut self.last {
            last.recovered = nanos;
        }
        match nanos {
            Some(nanos) => self.longest_recovery = self.longest_recovery.max(nanos),
            None => self.not_recovered += 1,
        }
    }
}
