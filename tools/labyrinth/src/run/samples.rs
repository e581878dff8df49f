// SPDX-License-Identifier: GPL-2.0

//! The numbers of a run over time.

use crate::{
    headroom,
    module::{metrics, series::Series, Module},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// The most samples of a run, so that a day does not fill a document.
const MOST: u32 = 600;

/// The numbers at a time. All counts are since the start of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sample {
    /// The time since the start, in seconds.
    pub seconds: f64,
    /// Requests of all exercises that got a page.
    pub successes: u64,
    /// Requests that did not.
    pub failures: u64,
    /// Order-0 requests with GFP_ATOMIC that a burst could still get, if it can be seen.
    pub headroom: Option<u64>,
    /// What each tier of each pool served.
    pub tiers: Vec<Tier>,
}

/// A tier of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tier {
    /// The pool.
    pub pool: String,
    /// "cache", "buddy", "reserve" or "emergency"
    pub tier: String,
    /// Requests that it served.
    pub pages: u64,
}

/// Takes samples, at least a second apart.
pub(super) struct Sampler {
    start: Instant,
    pause: Duration,
    due: Instant,
    samples: Vec<Sample>,
}

impl Sampler {
    /// Starts a run of this length.
    pub(super) fn new(start: Instant, length: Duration) -> Self {
        let pause = (length / MOST).max(Duration::from_secs(1));

        Self {
            start,
            pause,
            due: start + pause,
            samples: Vec::new(),
        }
    }

    /// Takes a sample if it is time for one.
    pub(super) fn look(&mut self, module: &Module, contexts: &[String]) -> anyhow::Result<()> {
        if Instant::now() >= self.due {
            self.due += self.pause;
            let series = super::measured(module, contexts)?;
            self.take(module, &series);
        }
        Ok(())
    }

    /// Takes the last sample, from the final numbers, and returns all.
    pub(super) fn finish(mut self, module: &Module, series: &[Series]) -> Vec<Sample> {
        self.take(module, series);
        self.samples
    }

    fn take(&mut self, module: &Module, series: &[Series]) {
        self.samples.push(Sample {
            seconds: self.start.elapsed().as_secs_f64(),
            successes: series.iter().map(|series| series.successes).sum(),
            failures: series.iter().map(|series| series.failures).sum(),
            headroom: headroom::now(Path::new("/proc")),
            tiers: tiers(&module.read("metrics").unwrap_or_default()),
        });
    }
}

/// Returns the hits of each tier in the text of `metrics`.
fn tiers(text: &str) -> Vec<Tier> {
    let pools = metrics::parse(text).unwrap_or_default().pools;
    let of = |pool: &metrics::Pool| -> Vec<Tier> {
        let tiers = pool.tiers.iter().map(|tier| Tier {
            pool: pool.name.clone(),
            tier: tier.name.clone(),
            pages: tier.hits,
        });
        tiers.collect()
    };

    pools.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::tiers;

    #[test]
    fn contexts_of_a_tier_are_added_up() {
        let line = |context, outcome, count| {
            format!(
                "labyrinth_pool_requests_total{{pool=\"p\",context=\"{context}\",tier=\"cache\",outcome=\"{outcome}\"}} {count}\n"
            )
        };
        let text = line("task", "hit", 3) + &line("task", "miss", 5) + &line("softirq", "hit", 4);
        let all = tiers(&(text + "# EOF\n"));
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].tier.as_str(), all[0].pages), ("cache", 7));
    }
}
