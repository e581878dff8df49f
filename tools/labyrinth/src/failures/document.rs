// SPDX-License-Identifier: GPL-2.0

//! The documents of `--json`.

use super::{
    probe::Source,
    tally::{Failure, Row},
};
use crate::json::Document;
use schemars::JsonSchema;
use serde::Serialize;

/// What `labyrinth failures` has seen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// labyrinth/failures/1
    pub schema: &'static str,
    /// Where failures were seen.
    pub source: Source,
    /// Failures that this source does not see.
    pub cannot_see: Vec<String>,
    /// How long it has counted, in seconds.
    pub seconds: f64,
    /// Failed requests for pages. Exact.
    pub failures: u64,
    /// How many of these were injected by fail_page_alloc. Missing if the kernel cannot inject
    /// failures, or does not tell.
    pub injected: Option<u64>,
    /// How many of these are in no row, as their records were lost or do not exist.
    pub without_details: u64,
    /// How many of these have `__GFP_NOWARN`, so that the log never reports them.
    pub nowarn: u64,
    /// Failures of functions such as vmalloc, which report as the page allocator does. Not part of
    /// `failures`.
    pub other_warnings: u64,
    /// The kernel's log. Missing if it cannot be read.
    pub log: Option<LogSummary>,
    /// The threshold of --fail-above.
    pub threshold: Option<u64>,
    /// Whether there were more failures than the threshold.
    pub crossed: bool,
    /// The failures with details, summed up, the largest sum first.
    pub rows: Vec<Row>,
    /// The same by process.
    pub by_process: Vec<Row>,
    /// The same by node.
    pub by_node: Vec<Row>,
}

/// What the kernel's log said meanwhile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LogSummary {
    /// The reports of failed requests.
    pub reports: u64,
    /// Failures without a report, for another reason than `__GFP_NOWARN`.
    pub suppressed: u64,
    /// Whether the log was overwritten before it was read, so that there were more reports.
    pub overflowed: bool,
}

impl Document for Summary {
    const NAME: &'static str = "failures";
}

/// A failure, as `labyrinth failures --json --each` writes it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Event<'a> {
    /// labyrinth/failures-event/1
    pub schema: &'static str,
    /// When it happened, on the clock of the kernel's log, in seconds.
    pub time: f64,
    /// The failure.
    #[serde(flatten)]
    pub failure: &'a Failure,
}

impl Document for Event<'_> {
    const NAME: &'static str = "failures-event";
}

impl<'a> From<&'a Failure> for Event<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self {
            schema: "labyrinth/failures-event/1",
            time: failure.time as f64 / 1e9,
            failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Summary};
    use crate::json::hold;

    #[test]
    fn the_schemas_are_committed() {
        hold::<Summary>();
        hold::<Event<'_>>();
    }
}
