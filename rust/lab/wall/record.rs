// SPDX-License-Identifier: GPL-2.0

//! The records of bursts.

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

/// Latencies of requests, in nanoseconds. Each contains one clock read.
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

    /// Returns the bucket edge that `ten_thousandths` of the latencies do not exceed, but never
    /// more than [`Self::max`].
    pub(crate) fn percentile(&self, ten_thousandths: u64) -> u64 {
        histogram::percentile(&self.counts, ten_thousandths).min(self.max)
    }

    /// Returns the exact largest latency.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }
}

/// The record of one burst.
#[derive(Clone, Copy)]
pub(crate) struct Last {
    /// The number of requests.
    pub(crate) asked: u64,
    /// The number of requests that failed.
    pub(crate) dropped: u64,
    /// The number of pages from below a min watermark.
    pub(crate) emergency: u64,
    /// The time of all requests together, including their measurement, in nanoseconds.
    pub(crate) nanos: u64,
    /// The state of memory before the first request.
    pub(crate) before: Memory,
    /// The state of memory after the last request, with all pages still held.
    pub(crate) after: Memory,
    /// The time that its reserve took to be full again, in nanoseconds; [`None`] if it has no
    /// reserve, or if the reserve was not full in time.
    pub(crate) recovered: Option<u64>,
}

/// The record of all bursts of one contestant.
pub(crate) struct Record {
    /// The number of bursts.
    pub(crate) bursts: u64,
    /// The number of requests.
    pub(crate) asked: u64,
    /// The number of requests that failed.
    pub(crate) dropped: u64,
    /// The number of pages from below a min watermark.
    pub(crate) emergency: u64,
    /// The size of its reserve, or 0 if it has none.
    pub(crate) reserve: u64,
    /// The number of bursts after which its reserve was not full again in time.
    pub(crate) not_recovered: u64,
    /// The longest time that its reserve took to be full again, in nanoseconds.
    pub(crate) longest_recovery: u64,
    /// The latencies of requests that got a page.
    pub(crate) served: Latencies,
    /// The latencies of requests that failed.
    pub(crate) failed: Latencies,
    /// The last burst.
    pub(crate) last: Option<Last>,
}

impl Record {
    /// Makes an empty record. Task context only, may sleep.
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

    /// Counts a burst. Its requests must be counted already.
    pub(super) fn burst(&mut self, burst: Last) {
        self.bursts += 1;
        self.asked += burst.asked;
        self.dropped += burst.dropped;
        self.emergency += burst.emergency;
        self.last = Some(burst);
    }

    /// Adds to the last burst the time that its reserve of `reserve` pages took to be full again,
    /// or [`None`] if it took too long.
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
