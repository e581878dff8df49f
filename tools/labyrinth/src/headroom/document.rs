// SPDX-License-Identifier: GPL-2.0

//! What `--json` prints.

use super::model::Arithmetic;
use crate::json;
use schemars::JsonSchema;
use serde::Serialize;

/// The headroom of the machine.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Headroom {
    /// "labyrinth/headroom/1"
    pub schema: &'static str,
    /// The flags of the requests, such as "GFP_ATOMIC".
    pub gfp: &'static str,
    /// The order of the requests.
    pub order: u32,
    /// The CPU of the burst, if it was given.
    pub cpu: Option<u32>,
    /// Requests that a burst on one CPU can still get: the mean over what cannot be seen.
    pub requests: u64,
    /// Requests that it gets in the worst case.
    pub at_least: u64,
    /// Requests that it gets in the best case, if nobody frees memory meanwhile. The kernel may give
    /// back the pages in the lists of other CPUs.
    pub at_most: u64,
    /// The least `requests` seen so far with --watch.
    pub least: u64,
    /// The zones that the requests may use.
    pub zones: Vec<ZoneHeadroom>,
    /// What the tool could not see, so that it had to guess.
    pub cannot_see: Vec<String>,
}

/// The part of a zone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ZoneHeadroom {
    /// The NUMA node.
    pub node: u32,
    /// The name, such as "Normal".
    pub zone: String,
    /// Requests that the zone can serve: the mean over what cannot be seen.
    pub requests: u64,
    /// Requests that it serves in the worst case.
    pub at_least: u64,
    /// Requests that it serves in the best case.
    pub at_most: u64,
    /// The numbers that this was computed from.
    pub arithmetic: Arithmetic,
}

impl json::Document for Headroom {
    const NAME: &'static str = "headroom";
}

#[cfg(test)]
mod tests {
    use super::Headroom;
    use crate::json;

    #[test]
    fn the_schema_is_documented() {
        json::hold::<Headroom>();
    }
}
