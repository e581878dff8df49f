// SPDX-License-Identifier: GPL-2.0

//! The values to show after an update. They are also the document of `--json`.

use crate::{
    failures::{probe::Source, tally::Row},
    json,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::VecDeque;

/// The numbers of some time, the newest last.
pub type Chart = VecDeque<u64>;

/// The values of the machine and of the module. Rates cover the last second, or the last interval
/// if that is longer. They are missing until there are two readings.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct View {
    /// "labyrinth/top/1"
    pub schema: &'static str,
    /// The time since the start of the command, in seconds.
    pub seconds: f64,
    /// Notes on missing values, with the fix.
    pub notes: Vec<String>,
    /// The headroom: how many GFP_ATOMIC requests of order 0 a burst can still get.
    pub headroom: Option<Headroom>,
    /// The failed page allocations of the whole machine.
    pub failures: Option<Failures>,
    /// The exercises of the module, with each set of flags. Empty without the module.
    pub contexts: Vec<Context>,
    /// The pools of the module and of drivers.
    pub pools: Vec<Pool>,
}

/// The headroom.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Headroom {
    /// The estimate.
    pub requests: u64,
    /// The number in the worst case.
    pub at_least: u64,
    /// The number in the best case.
    pub at_most: u64,
    /// The least estimate so far.
    pub least: u64,
    /// The estimates.
    #[serde(skip)]
    pub chart: Chart,
}

/// Failures since the start of the command.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failures {
    /// The source of the failures.
    pub source: Source,
    /// The number of failures.
    pub failures: u64,
    /// The number of failures per second.
    pub failures_per_second: Option<f64>,
    /// The most frequent failures.
    pub rows: Vec<Row>,
    /// Failures in a second.
    #[serde(skip)]
    pub chart: Chart,
}

/// The requests of an exercise with a set of flags.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Context {
    /// The exercise.
    pub context: String,
    /// The flags, or "nolock".
    pub gfp: String,
    /// Whether the exercise runs.
    pub running: bool,
    /// Requests that got a page, since the module was loaded or its counters were reset.
    pub successes: u64,
    /// Requests that failed in that time.
    pub failures: u64,
    /// Requests per second that got a page.
    pub successes_per_second: Option<f64>,
    /// Requests per second that failed.
    pub failures_per_second: Option<f64>,
    /// The highest rate of requests that got a page so far.
    pub most_per_second: f64,
    /// The latencies of the last seconds.
    pub latency: Latency,
    /// The upper edge in ns of the bucket of the longest latency so far. Missing if there was no
    /// latency, or if its bucket has no upper edge.
    pub longest_ns: Option<u64>,
    /// Requests in a second.
    #[serde(skip)]
    pub chart: Chart,
    /// The latencies in ns that 99 percent did not exceed.
    #[serde(skip)]
    pub latency_chart: Chart,
}

/// Latencies. Each value is the upper edge of a bucket. Edges are powers of two, so the value can
/// be up to two times too large. A value is missing if there are no latencies, or if its bucket has
/// no upper edge.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Latency {
    /// The time in which the latencies were measured, in seconds.
    pub seconds: f64,
    /// How many there are.
    pub samples: u64,
    /// The latency in ns that half of them did not exceed.
    pub p50_ns: Option<u64>,
    /// The latency in ns that 99 percent did not exceed.
    pub p99_ns: Option<u64>,
    /// The longest latency in ns.
    pub max_ns: Option<u64>,
    /// The histogram, from the shortest to the longest latency.
    pub buckets: Vec<Bucket>,
}

/// A bucket of a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bucket {
    /// The upper edge of the bucket, in ns. Missing if the bucket has none.
    pub to_ns: Option<u64>,
    /// How many there are.
    pub count: u64,
}

/// A pool.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Pool {
    /// The name.
    pub pool: String,
    /// The tiers, in the order in which requests try them.
    pub tiers: Vec<Tier>,
    /// Requests that no tier could serve.
    pub failures: u64,
    /// Requests per second that no tier could serve.
    pub failures_per_second: Option<f64>,
    /// Pages in the caches of the CPUs.
    pub cached: u64,
    /// Pages in the reserve.
    pub reserved: u64,
    /// The least pages in the reserve so far.
    pub least_reserved: u64,
    /// Pages that the reserve should hold.
    pub reserve_target: u64,
    /// Pages that wait to be freed.
    pub returning: u64,
    /// Pages in the reserve.
    #[serde(skip)]
    pub chart: Chart,
}

/// A tier of a pool.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Tier {
    /// "cache", "buddy", "reserve" or "emergency"
    pub tier: String,
    /// Requests that the tier served.
    pub hits: u64,
    /// Requests per second that the tier served.
    pub hits_per_second: Option<f64>,
    /// Requests that the tier could not serve.
    pub misses: u64,
}

impl json::Document for View {
    const NAME: &'static str = "top";
}

#[cfg(test)]
mod tests {
    use super::View;
    use crate::json;

    #[test]
    fn the_schema_is_documented() {
        json::hold::<View>();
    }
}
