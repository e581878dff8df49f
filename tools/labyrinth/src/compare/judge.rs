// SPDX-License-Identifier: GPL-2.0

//! The metrics of a run, and the verdict on each.

use super::statistics::Estimate;
use crate::module::series::Series;
use schemars::JsonSchema;
use serde::Serialize;

/// The fewest runs of a side that allow a verdict: the interval of two runs is too wide to be of use,
/// and zero if both happen to be the same.
pub const LEAST_RUNS: u64 = 3;

/// A figure that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Metric {
    /// The share of requests that got a page, in percent.
    #[serde(rename = "success rate")]
    SuccessRate,
    /// The median latency in ns.
    #[serde(rename = "p50")]
    P50,
    /// The latency in ns that 99 % of the requests did not exceed.
    #[serde(rename = "p99")]
    P99,
    /// The latency in ns that 99.9 % of the requests did not exceed.
    #[serde(rename = "p99.9")]
    P999,
    /// The longest latency in ns.
    #[serde(rename = "max")]
    Max,
    /// The mean latency in ns.
    #[serde(rename = "mean")]
    Mean,
}

/// All metrics, in the order of the table.
pub const METRICS: [Metric; 6] = [
    Metric::SuccessRate,
    Metric::P50,
    Metric::P99,
    Metric::P999,
    Metric::Max,
    Metric::Mean,
];

impl Metric {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SuccessRate => "success rate",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Max => "max",
            Self::Mean => "mean",
        }
    }

    /// Returns the value of a series, if there is one.
    pub fn of(self, series: &Series) -> Option<f64> {
        let samples = series.samples();
        let requests = series.successes + series.failures;

        match self {
            Self::SuccessRate => {
                (requests > 0).then(|| series.successes as f64 * 100.0 / requests as f64)
            }
            Self::P50 => interpolated(series, 0.5),
            Self::P99 => interpolated(series, 0.99),
            Self::P999 => interpolated(series, 0.999),
            Self::Max => series.latency_max_ns.map(|ns| ns as f64),
            Self::Mean => (samples > 0).then(|| series.latency_sum_ns as f64 / samples as f64),
        }
    }
}

/// Returns a quantile, interpolated within its bucket. Edges alone would make small differences
/// invisible, or as large as a bucket.
fn interpolated(series: &Series, quantile: f64) -> Option<f64> {
    let rank = series.samples() as f64 * quantile;
    let mut below = 0.0;

    for bucket in series.buckets.iter().filter(|bucket| bucket.count > 0) {
        let count = bucket.count as f64;
        if below + count >= rank {
            let width = (bucket.to_ns - bucket.from_ns) as f64;
            return Some(bucket.from_ns as f64 + width * ((rank - below) / count));
        }
        below += count;
    }
    None
}

/// The verdict on a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Finding {
    /// B is better than A.
    #[serde(rename = "better")]
    Better,
    /// B is worse than A.
    #[serde(rename = "worse")]
    Worse,
    /// Any difference is smaller than what matters.
    #[serde(rename = "no difference seen")]
    Same,
    /// There are too few runs.
    #[serde(rename = "cannot tell: too few runs")]
    TooFew,
    /// The runs of a side differ too much among themselves.
    #[serde(rename = "cannot tell: spread too large")]
    Spread,
}

impl Finding {
    /// The text of the table.
    pub fn text(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "no difference seen",
            Self::TooFew => "cannot tell: too few runs",
            Self::Spread => "cannot tell: spread too large",
        }
    }
}

/// Judges two estimates. `matters` is the least difference of the means that matters.
pub fn judge(metric: Metric, a: &Estimate, b: &Estimate, matters: f64) -> Finding {
    let few = a.runs.min(b.runs) < LEAST_RUNS;
    let (Some(half_a), Some(half_b), false) = (a.half_width, b.half_width, few) else {
        return Finding::TooFew;
    };
    let spread = half_a + half_b;
    let difference = b.mean - a.mean;
    let apart = difference.abs() > spread;

    if apart && difference.abs() >= matters {
        let more_is_better = metric == Metric::SuccessRate;
        return if (difference > 0.0) == more_is_better {
            Finding::Better
        } else {
            Finding::Worse
        };
    }
    if spread > matters {
        Finding::Spread
    } else {
        Finding::Same
    }
}

#[cfg(test)]
mod tests {
    use super::{judge, Finding, Metric, METRICS};
    use crate::{compare::statistics::estimate, runs::tests::made_up};
    use proptest::prelude::*;

    fn verdict(metric: Metric, a: &[f64], b: &[f64], matters: f64) -> Finding {
        judge(
            metric,
            &estimate(a).unwrap(),
            &estimate(b).unwrap(),
            matters,
        )
    }

    #[test]
    fn each_finding_is_possible() {
        let a = [100.0, 101.0, 99.0];
        let slow = [120.0, 121.0, 119.0];
        assert_eq!(verdict(Metric::P99, &a, &slow, 5.0), Finding::Worse);
        assert_eq!(verdict(Metric::P99, &slow, &a, 5.0), Finding::Better);
        assert_eq!(
            verdict(Metric::SuccessRate, &a, &slow, 5.0),
            Finding::Better
        );
        assert_eq!(verdict(Metric::P99, &a, &a, 5.0), Finding::Same);
        assert_eq!(verdict(Metric::P99, &a, &a, 4.0), Finding::Spread);
        assert_eq!(verdict(Metric::P99, &a, &slow[..2], 5.0), Finding::TooFew);
        assert_eq!(
            verdict(Metric::P99, &a, &[100.0, 250.0, 99.0], 5.0),
            Finding::Spread
        );
        // Apart, but by less than what matters.
        assert_eq!(
            verdict(Metric::Max, &[1.0; 3], &[1.01; 3], 0.05),
            Finding::Same
        );
    }

    #[test]
    fn metrics_are_those_of_the_histogram() {
        let run = made_up(1.0);
        let values: Vec<f64> = METRICS
            .iter()
            .map(|metric| metric.of(&run.series[0]).unwrap())
            .collect();
        assert_eq!(values[..2], [99.85, 1042.0]);
        assert!((2000.0..2128.0).contains(&values[2]), "{values:?}");
        assert!((240_000.0..250_001.0).contains(&values[3]), "{values:?}");
        assert_eq!(values[4..], [250_000.0, 1500.0]);
    }

    proptest! {
        #[test]
        fn the_other_way_round_it_is_the_opposite(
            a in prop::collection::vec(1.0..1e6, 2..8),
            b in prop::collection::vec(1.0..1e6, 2..8),
            matters in 0.0..1e5,
        ) {
            let there = verdict(Metric::Mean, &a, &b, matters);
            let back = verdict(Metric::Mean, &b, &a, matters);
            prop_assert_eq!(back, match there {
                Finding::Better => Finding::Worse,
                Finding::Worse => Finding::Better,
                other => other,
            });
        }

        #[test]
        fn a_run_against_itself_differs_never(
            a in prop::collection::vec(1.0..1e6, 1..8), matters in 0.0..1e5,
        ) {
            let found = verdict(Metric::Mean, &a, &a, matters);
            prop_assert!(!matches!(found, Finding::Better | Finding::Worse));
        }
    }
}
