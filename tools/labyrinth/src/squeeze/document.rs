// SPDX-License-Identifier: GPL-2.0

//! What a squeeze has done.

use crate::json;
use schemars::JsonSchema;
use serde::Serialize;

/// Why a squeeze has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The command has ended.
    Command,
    /// A signal came.
    Signal,
    /// The time was over.
    Time,
    /// Memory that can be reclaimed was running out.
    Memory,
    /// The OOM killer has killed a process.
    OomKill,
}

/// What a squeeze has done. The numbers of memory are in pages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Squeezed {
    /// "labyrinth/squeeze/1"
    pub schema: &'static str,
    /// The headroom that was asked for.
    pub headroom: u64,
    /// The headroom that `labyrinth headroom` predicted before.
    pub before_pages: u64,
    /// The pages that were in fact taken until the first refusal.
    pub taken_pages: u64,
    /// The pages that were held at the end.
    pub held_pages: u64,
    /// The pages that were taken later, because others had freed memory.
    pub taken_later_pages: u64,
    /// The least that a burst on any CPU would have got, at each look of the module.
    pub least_pages: u64,
    /// The most that a burst on any CPU would have got.
    pub most_pages: u64,
    /// How often the module could not hold as many pages as it would have had to.
    pub looks_without_more: u64,
    /// The headroom that `labyrinth headroom` predicts afterwards.
    pub after_pages: u64,
    /// How long the headroom was held, in seconds.
    pub seconds: f64,
    /// Why it has ended.
    pub end: End,
    /// Failed requests of others meanwhile. Missing if they could not be counted.
    pub failures: Option<u64>,
    /// The exit status of the command, or 128 plus the signal that ended it.
    pub command_status: Option<i32>,
}

impl json::Document for Squeezed {
    const NAME: &'static str = "squeeze";
}

#[cfg(test)]
mod tests {
    use super::Squeezed;
    use crate::json;

    #[test]
    fn the_schema_is_documented() {
        json::hold::<Squeezed>();
    }
}
