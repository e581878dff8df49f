// SPDX-License-Identifier: GPL-2.0

//! The result of a squeeze, as a document.

use crate::json;
use schemars::JsonSchema;
use serde::Serialize;

/// The reason why a squeeze ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The command ended.
    Command,
    /// The tool received a signal.
    Signal,
    /// The time was over.
    Time,
    /// Reclaimable memory was running out.
    Memory,
    /// The kernel had run out of memory. The module gave all pages back before a process was
    /// killed.
    OutOfMemory,
    /// The OOM killer killed a process.
    OomKill,
}

/// The result of a squeeze. Amounts of memory are in pages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Squeezed {
    /// "labyrinth/squeeze/1"
    pub schema: &'static str,
    /// The headroom that was asked for.
    pub headroom: u64,
    /// The headroom that `labyrinth headroom` predicted before the squeeze.
    pub before_pages: u64,
    /// The pages that the module took before the first refusal.
    pub taken_pages: u64,
    /// The pages that the module held before it gave all back.
    pub held_pages: u64,
    /// The pages that the module took later, after others had freed them.
    pub taken_later_pages: u64,
    /// How often the module checked a CPU that had reached the wanted headroom.
    pub checks: u64,
    /// How many of these checks found exactly the wanted headroom.
    pub exact_checks: u64,
    /// The smallest headroom of a CPU that a check of the module found.
    pub least_pages: u64,
    /// The largest headroom of a CPU that a check of the module found.
    pub most_pages: u64,
    /// How many checks found too much headroom while the module held the most pages that it may.
    pub checks_at_limit: u64,
    /// The headroom that `labyrinth headroom` predicts after the squeeze.
    pub after_pages: u64,
    /// How long the headroom was held, in seconds.
    pub seconds: f64,
    /// The reason why the squeeze ended.
    pub end: End,
    /// Failed requests of others during the squeeze. Missing if the tool could not count them.
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
