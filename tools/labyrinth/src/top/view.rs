// SPDX-License-Identifier: GPL-2.0

//! What there is to show after an update, which is also the document of `--json`.

use crate::{
    failures::{probe::Source, tally::Row},
    json,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::VecDeque;

/// The numbers of some time, the newest last.
pub type Chart = VecDeque<u64>;

/// The machine and the module. All rates are those of the last second, or of the last interval if
/// this is longer. They are missing until there are two readings.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct View {
    /// "labyrinth/top/1"
    pub schema: &'static str,
    /// The time since the start, in seconds.
    pub seconds: f64,
    /// What is missing, and what helps.
    pub notes: Vec<String>,
    /// Requests of order 0 with GFP_ATOMIC that a burst can still get.
    pub headroom: Option<Headroom>,
    /// Failed page allocations of the whole machine.
    pub failures: Option<Failures>,
    /// The exercises of the module, with each set of flags. None without the module.
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

/// Failures since the start.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failures {
    /// Where they are seen.
    pub source: Source,
    /// How many there were.
    pub failures: u64,
    /// How many there are in a second.
    pub failures_per_second: Option<f64>,
    /// The most frequent ones.
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
    /// Requests that did not.
    pub failures: u64,
    /// Requests in a second that got a page.
    pub successes_per_second: Option<f64>,
    /// Requests in a second that did not.
    pub failures_per_second: Option<f64>,
    /// The most requests in a second so far.
    pub most_per_second: f64,
    /// The latencies of the last seconds.
    pub latency: Latency,
    /// The longest latency so far in ns: the upper edge of its bucket. Missing if there was none,
    /// or if it is beyond the last edge.
    pub longest_ns: Option<u64>,
    /// Requests in a second.
    #[serde(skip)]
    pub chart: Chart,
    /// The latencies in ns that 99 percent did not exceed.
    #[serde(skip)]
    pub latency_chart: Chart,
}

/// Latencies. All are upper edges of buckets, which are powers of two, so that they are up to two
/// times too large. They are missing if there are no latencies, or if these are beyond the last
/// edge.
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
    /// The longest one in ns.
    pub max_ns: Option<u64>,
    /// The histogram, from the shortest to the longest one.
    pub buckets: Vec<Bucket>,
}

/// A bucket of a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bucket {
    /// The longest latency that it counts, in ns. Missing if there is no limit.
    pub to_ns: Option<u64>,
    /// How many there are.
    pub count: u64,
}

/// A pool.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Pool {
    /// The name.
    pub pool: String,
    /// The tiers, in the order in which requests ask them.
    pub tiers: Vec<Tier>,
    /// Requests that no tier could serve.
    pub failures: u64,
    /// Such requests in a second.
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
    /// Requests that it served.
    pub hits: u64,
    /// Requests that it served in a second.
    pub hits_per_second: Option<f64>,
    /// Requests that it could not serve.
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
