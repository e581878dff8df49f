// SPDX-License-Identifier: GPL-2.0

//! What `--bursts --json` prints.

use super::advice::Advice;
use crate::{
    failures::{context::Context, symbols::Frame},
    json,
};
use schemars::JsonSchema;
use serde::Serialize;

/// The bursts that were seen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Bursts {
    /// "labyrinth/headroom-bursts/1"
    pub schema: &'static str,
    /// How long it looked.
    pub seconds: f64,
    /// The requests of atomic pages that were served.
    pub requests: u64,
    /// The pages that these got.
    pub pages: u64,
    /// Requests that are missing in the bursts, because they were too many to be read.
    pub lost: u64,
    /// The largest bursts, for each length of time.
    pub lengths: Vec<Length>,
    /// The least headroom for a burst of single atomic pages.
    pub least_headroom: u64,
    /// What to set.
    pub advice: Advice,
}

/// The largest bursts of a length.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Length {
    /// The length.
    pub milliseconds: u64,
    /// The largest bursts that do not overlap, the largest first.
    pub bursts: Vec<OneBurst>,
}

/// A burst.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OneBurst {
    /// The pages.
    pub pages: u64,
    /// The time of its last request on the clock of the kernel's log, in seconds.
    pub time: f64,
    /// Who took them, the largest share first.
    pub callers: Vec<Share>,
}

/// The part of a caller in a burst.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Share {
    /// The pages.
    pub pages: u64,
    /// The function, if it is known.
    pub caller: Option<Frame>,
    /// The context.
    pub context: Context,
}

impl json::Document for Bursts {
    const NAME: &'static str = "headroom-bursts";
}

#[cfg(test)]
mod tests {
    use super::Bursts;
    use crate::json;

    #[test]
    fn the_schema_is_documented() {
        json::hold::<Bursts>();
    }
}
