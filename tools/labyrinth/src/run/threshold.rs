// SPDX-License-Identifier: GPL-2.0

//! Thresholds such as `p99.9=50us`.

use crate::{module::series::Series, units};
use schemars::JsonSchema;
use serde::Serialize;

/// A bound of the latency.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As the user wrote it.
    text: String,
    /// The share of the requests in percent that must not take longer; `None` means all.
    percent: Option<f64>,
    /// The bound in ns.
    ns: u64,
}

/// A threshold that was crossed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Offence {
    /// The exercise.
    pub context: String,
    /// Its flags.
    pub gfp: String,
    /// What happened.
    pub what: String,
    /// The bound as the user wrote it; `None` means that no request may fail.
    #[serde(skip)]
    bound: Option<String>,
}

impl Offence {
    fn is_like(&self, other: &Self) -> bool {
        (&self.context, &self.gfp, &self.bound) == (&other.context, &other.gfp, &other.bound)
    }
}

/// Returns all offences of a run: those at its end, with the final numbers, and those that ended it
/// if a percentile has fallen below its bound since.
pub fn all(first: Vec<Offence>, mut last: Vec<Offence>) -> Vec<Offence> {
    for offence in first {
        if !last.iter().any(|other| other.is_like(&offence)) {
            last.push(offence);
        }
    }
    last
}

impl Threshold {
    /// Parses a threshold: `max` or a percentile, and a time.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (what, time) = text
            .split_once('=')
            .ok_or("a threshold looks like p99.9=50us or max=1ms")?;
        let percent = match what.strip_prefix('p') {
            _ if what == "max" => None,
            Some(number) => Some(
                number
                    .parse::<f64>()
                    .ok()
                    .filter(|percent| (0.0..=100.0).contains(percent))
                    .ok_or_else(|| format!("'{number}' is no percentile from 0 to 100"))?,
            ),
            None => {
                return Err(format!(
                    "'{what}' is neither max nor a percentile such as p99"
                ))
            }
        };

        Ok(Self {
            text: text.to_owned(),
            percent,
            ns: units::parse_nanoseconds(time)?,
        })
    }

    /// Returns the offence of a series, if it crosses the threshold.
    pub fn offence(&self, series: &Series) -> Option<Offence> {
        let found = match self.percent {
            Some(percent) => series.percentile(percent),
            None => series.latency_max_ns,
        };
        let found = found.filter(|&found| found > self.ns)?;

        Some(Offence {
            context: series.context.clone(),
            gfp: series.gfp.clone(),
            what: format!("{} was crossed: {}", self.text, units::nanoseconds(found)),
            bound: Some(self.text.clone()),
        })
    }
}

/// Returns the offence of a series with failures.
pub fn failures(series: &Series) -> Option<Offence> {
    (series.failures > 0).then(|| Offence {
        context: series.context.clone(),
        gfp: series.gfp.clone(),
        what: format!("{} failed", units::counted(series.failures, "request")),
        bound: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{all, failures, Threshold};
    use crate::module::series::{
        parse,
        tests::{LATENCY, STATS},
    };

    #[test]
    fn thresholds_are_crossed_or_not() {
        let series = &parse(STATS, LATENCY).unwrap()[0];
        let crossed = |text| Threshold::parse(text).unwrap().offence(series).is_some();
        assert!(crossed("p50=1us"));
        assert!(!crossed("p50=1087ns"));
        assert!(crossed("p50=1086ns"));
        assert!(crossed("max=262us"));
        assert!(!crossed("max=1ms"));
        assert!(failures(series)
            .unwrap()
            .what
            .starts_with("3 requests failed"));
    }

    #[test]
    fn the_final_offences_have_the_final_numbers() {
        let before = &parse(STATS, LATENCY).unwrap()[0];
        let mut after = before.clone();
        after.failures += 1;
        let mut other = before.clone();
        other.context = "task".into();
        let bound = Threshold::parse("p50=1us").unwrap();

        let first = vec![failures(before).unwrap(), bound.offence(before).unwrap()];
        let last = vec![failures(&after).unwrap(), failures(&other).unwrap()];
        let found = all(first, last);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|offence| (offence.context.as_str(), &offence.what[..9]))
            .collect();
        assert_eq!(
            found,
            [
                ("timer_softirq", "4 request"),
                ("task", "3 request"),
                ("timer_softirq", "p50=1us w"),
            ]
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "", "p99", "p101=1us", "pxx=1us", "mean=1us", "max=", "max=1h", "max=-1us", "max=50",
        ] {
            assert!(Threshold::parse(text).is_err(), "{text}");
        }
    }
}
