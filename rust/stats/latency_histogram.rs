// SPDX-License-Identifier: GPL-2.0

//! Histograms that drivers record latencies in.

use super::histogram::{
    self,
    BUCKETS, //
};
use crate::ffi::percpu::counters::CpuCounters;
use kernel::{
    prelude::*,
    time::Delta, //
};

/// How many numbers a histogram has: its buckets, then the sum of the latencies.
pub(super) const NUMBERS: usize = BUCKETS + 1;

/// The index of the sum.
const SUM: usize = BUCKETS;

/// A histogram of latencies, which a driver can have shown as a [`Row`](super::Row).
///
/// It needs about 4 KiB for each possible CPU, however many latencies it has. [`histogram`] says
/// which buckets there are: each is at most 1/16 as wide as its latencies are long, and latencies of
/// 69 s and more share the last one. Reports show fewer, with an edge at each power of two
/// nanoseconds.
///
/// Latencies may be recorded while a report is made. Then the sum in the report may have a few
/// latencies that are in no bucket yet; the number of latencies is always that of the buckets.
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::Arc, time::{Instant, Monotonic}};
/// use labyrinth::stats::{Label, LatencyHistogram, Registration, Row};
///
/// struct Queues([LatencyHistogram; 2]);
///
/// static ROWS: [Row<Queues>; 1] = [Row::histogram(
///     "send_seconds",
///     "Latency of packets, from the queue to the end of the transfer.",
///     &[Label::new("queue", &["bulk", "urgent"])],
///     |queues, [queue, ..]| queues.0.get(queue),
/// )];
///
/// fn make_queues() -> Result<(Arc<Queues>, Registration)> {
///     let queues = Queues([LatencyHistogram::new()?, LatencyHistogram::new()?]);
///     let queues = Arc::new(queues, GFP_KERNEL)?;
///     let registration = Registration::new(&[&ROWS], None, queues.clone())?;
///     Ok((queues, registration))
/// }
///
/// fn sent(queues: &Queues, began: Instant<Monotonic>) {
///     queues.0[1].record(began.elapsed());
/// }
/// ```
pub struct LatencyHistogram(CpuCounters<NUMBERS>);

impl LatencyHistogram {
    /// Makes an empty histogram. Task context only, may sleep. `ENOMEM` if there is no memory.
    ///
    /// It may be dropped in task and softirq context.
    pub fn new() -> Result<Self> {
        Ok(Self(CpuCounters::new()?))
    }

    /// Records a latency, with a resolution of a nanosecond. A negative latency counts as 0. Any
    /// context, NMI included; it never fails.
    #[inline]
    pub fn record(&self, latency: Delta) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(0);
        let counters = self.0.all();

        // The sum comes first: each latency in a bucket that a reader sees is in the sum, too.
        counters.add_at::<SUM>(nanos);
        counters.add(histogram::index(nanos), 1);
    }

    /// Reads the buckets, and returns the sum of the latencies in nanoseconds. Any context.
    pub(super) fn read(&self, buckets: &mut [u64]) -> u64 {
        buckets.fill(0);
        self.0.sum_each(0, buckets);
        self.0.sum(SUM)
    }
}
