// SPDX-License-Identifier: GPL-2.0

//! What to set, so that the bursts that were seen are served.

use crate::units;
use schemars::JsonSchema;
use serde::Serialize;

/// Above this share of the memory, a reserve of one's own is better than watermarks.
const TOO_MUCH: f64 = 0.05;

/// A zone that the requests may use.
#[derive(Clone, Copy, Debug)]
pub struct ZoneFacts {
    /// The min watermark without its boost, in pages.
    pub min: u64,
    /// The part of it that `GFP_ATOMIC` may not use.
    pub out_of_reach: u64,
    /// Whether the zone is kept for requests that cannot use a higher one.
    pub protected: bool,
    /// The most pages of the last refill that can be left in the list of a CPU.
    pub left_over: u64,
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The largest burst, in pages.
    pub burst: u64,
    /// The time that it took, in milliseconds.
    pub milliseconds: u64,
    /// What the burst is multiplied with.
    pub safety: f64,
    /// The zones.
    pub zones: Vec<ZoneFacts>,
    /// `vm.min_free_kbytes`, if it can be read.
    pub min_free_kbytes: Option<u64>,
    /// The size of a page, in KiB.
    pub page_kib: u64,
    /// All memory, in pages.
    pub memory: u64,
    /// The least headroom that was seen, in pages.
    pub least: u64,
}

/// What to set.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Advice {
    /// The pages that must be there: the largest burst with its safety factor.
    pub needed: u64,
    /// The pages that only GFP_ATOMIC gets, when all other requests have stopped at the min
    /// watermark, without those that can be left in the list of a CPU.
    pub guaranteed: u64,
    /// The value for vm.min_free_kbytes, or none if the present one is enough or unknown.
    pub min_free_kbytes: Option<u64>,
    /// The size of a reserve in a pool that serves the bursts alone, in pages.
    pub reserve: u64,
    /// How these follow from what was seen.
    pub reasoning: Vec<String>,
}

/// Derives the advice.
pub fn advise(facts: &Facts) -> Advice {
    let needed = (facts.burst as f64 * facts.safety).ceil() as u64;
    let unprotected = || facts.zones.iter().filter(|zone| !zone.protected);
    let reach: u64 = unprotected().map(|zone| zone.min - zone.out_of_reach).sum();
    let min: u64 = unprotected().map(|zone| zone.min).sum();
    let all: u64 = facts.zones.iter().map(|zone| zone.min).sum();
    let left_over: u64 = unprotected().map(|zone| zone.left_over).sum();
    let guaranteed = reach.saturating_sub(left_over);
    let mut reasoning = vec![
        format!(
            "The largest burst took {} in {} ms. With a safety factor of {}, {} must be there.",
            units::counted(facts.burst, "page"),
            facts.milliseconds,
            facts.safety,
            units::counted(needed, "page")
        ),
        format!(
            "When all other requests have stopped at the min watermarks of {min} pages, GFP_ATOMIC \
             can still get {reach} of them. The last refill can leave {left_over} in the list of \
             a CPU, so {guaranteed} are certain."
        ),
        format!(
            "At the worst moment, such a burst could have got {}.",
            units::counted(facts.least, "page")
        ),
    ];
    if all > min {
        reasoning.push(format!(
            "Of all min watermarks, {} % are in zones that are kept for other requests \
             (lowmem_reserve).",
            (all - min) * 100 / all
        ));
    }
    let wanted = facts
        .min_free_kbytes
        .filter(|_| guaranteed < needed && reach > 0)
        .map(|now| {
            let factor = (needed + left_over) as f64 / reach as f64;
            (now as f64 * factor).ceil() as u64
        });
    if let Some(wanted) = wanted {
        let share = wanted as f64 / (facts.memory * facts.page_kib).max(1) as f64;
        reasoning.push(format!(
            "vm.min_free_kbytes grows by the same factor as the pages: ({needed} + {left_over}) / \
             {reach}."
        ));
        if share > TOO_MUCH {
            reasoning.push(format!(
                "That is {:.0} % of the memory, which nobody else can use then. A reserve of {} \
                 in the driver's own pool costs less.",
                share * 100.0,
                units::counted(needed, "page")
            ));
        }
    }
    Advice {
        needed,
        guaranteed,
        min_free_kbytes: wanted,
        reserve: needed,
        reasoning,
    }
}

#[cfg(test)]
mod tests {
    use super::{advise, Facts, ZoneFacts};

    fn facts(burst: u64) -> Facts {
        let zone = ZoneFacts {
            min: 800,
            out_of_reach: 300,
            protected: false,
            left_over: 100,
        };
        Facts {
            burst,
            milliseconds: 10,
            safety: 2.0,
            zones: vec![
                zone,
                ZoneFacts {
                    min: 200,
                    protected: true,
                    ..zone
                },
            ],
            min_free_kbytes: Some(4000),
            page_kib: 4,
            memory: 100_000,
            least: 1234,
        }
    }

    #[test]
    fn small_bursts_need_nothing() {
        let advice = advise(&facts(200));
        assert_eq!((advice.needed, advice.guaranteed), (400, 400));
        assert_eq!(advice.min_free_kbytes, None);
        assert!(advice.reasoning.iter().any(|line| line.contains("1234")));
        assert!(advice.reasoning.iter().any(|line| line.contains("20 %")));
    }

    #[test]
    fn larger_bursts_need_larger_watermarks() {
        let advice = advise(&facts(450));
        // (900 + 100) / 500 times the setting.
        assert_eq!(advice.min_free_kbytes, Some(8000));
        assert_eq!(advice.reserve, 900);
        assert!(!advice.reasoning.iter().any(|line| line.contains("pool")));
    }

    #[test]
    fn huge_bursts_need_a_pool() {
        let advice = advise(&facts(5000));
        assert_eq!(advice.min_free_kbytes, Some(80_800));
        assert!(advice
            .reasoning
            .last()
            .unwrap()
            .contains("20 % of the memory"));
        let mut unknown = facts(5000);
        unknown.min_free_kbytes = None;
        assert_eq!(advise(&unknown).min_free_kbytes, None);
    }
}
