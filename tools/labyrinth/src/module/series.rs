// SPDX-License-Identifier: GPL-2.0

//! The numbers of the exercises, from the files `stats` and `latency`.

use super::Module;
use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The numbers of an exercise with a set of flags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The exercise.
    pub context: String,
    /// The flags, or "nolock".
    pub gfp: String,
    /// Requests that got a page.
    pub successes: u64,
    /// Requests that did not.
    pub failures: u64,
    /// The sum of all latencies, in ns.
    pub latency_sum_ns: u64,
    /// The shortest and the longest latency in ns, if there is one.
    pub latency_min_ns: Option<u64>,
    /// The longest latency in ns.
    pub latency_max_ns: Option<u64>,
    /// The histogram of the latencies, in ascending order.
    pub buckets: Vec<Bucket>,
}

/// A bucket of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bucket {
    /// The shortest latency that it counts, in ns.
    pub from_ns: u64,
    /// The longest, in ns.
    pub to_ns: u64,
    /// How many there were.
    pub count: u64,
}

impl Series {
    /// Returns how many latencies there are.
    pub fn samples(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count).sum()
    }

    /// Returns the latency in ns that this many percent of the requests did not exceed: the upper
    /// edge of a bucket, so at most 1/16 too large.
    pub fn percentile(&self, percent: f64) -> Option<u64> {
        let rank = rank(self.samples(), percent);
        let mut below = 0;

        self.buckets
            .iter()
            .find(|bucket| {
                below += bucket.count;
                below >= rank
            })
            .map(|bucket| bucket.to_ns)
    }
}

/// Returns how many of the samples, in ascending order, make up this many percent: at least one,
/// and with 100 percent all.
pub fn rank(samples: u64, percent: f64) -> u64 {
    ((samples as f64 * percent / 100.0).ceil() as u64).clamp(1, samples.max(1))
}

/// Reads the numbers of all exercises.
pub fn read(module: &Module) -> Result<Vec<Series>> {
    parse(&module.read("stats")?, &module.read("latency")?)
}

/// Parses both files. The first has the outcomes, the second the latencies.
pub fn parse(stats: &str, latency: &str) -> Result<Vec<Series>> {
    let mut all = Vec::new();
    let rows = stats
        .lines()
        .skip_while(|line| !line.starts_with("context "))
        .skip(1)
        .take_while(|line| !line.is_empty());

    for row in rows {
        let words: Vec<&str> = row.split_whitespace().collect();
        let number = |index: usize| -> Result<u64> {
            let word = words
                .get(index)
                .context("the table in stats lacks a column")?;
            word.parse()
                .with_context(|| format!("'{word}' in stats is no number"))
        };
        let mut series = Series {
            context: words[0].to_owned(),
            gfp: (*words.get(1).context("the table in stats lacks a column")?).to_owned(),
            successes: number(3)?,
            failures: number(4)?,
            ..Series::default()
        };
        latencies(&mut series, latency)?;
        all.push(series);
    }
    Ok(all)
}

/// Adds the latencies of the series, which begin with "CONTEXT GFP: N allocations, sum N ns, min N
/// ns, max N ns".
fn latencies(series: &mut Series, text: &str) -> Result<()> {
    let head = format!("{} {}: ", series.context, series.gfp);
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&head));
    let Some(first) = lines.next() else {
        return Ok(());
    };
    let after = |word: &str| {
        let mut words = first
            .split_whitespace()
            .skip_while(move |found| *found != word);
        words.nth(1).and_then(|number| number.parse().ok())
    };

    series.latency_sum_ns = after("sum").unwrap_or(0);
    series.latency_min_ns = after("min");
    series.latency_max_ns = after("max");
    for line in lines.take_while(|line| !line.is_empty()) {
        let mut words = line.split_whitespace().map(str::parse::<u64>);
        let mut next = || {
            words
                .next()
                .and_then(Result::ok)
                .with_context(|| format!("'{line}' in latency is no bucket"))
        };
        series.buckets.push(Bucket {
            from_ns: next()?,
            to_ns: next()?,
            count: next()?,
        });
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{parse, Bucket};

    pub(crate) const STATS: &str = "\
order-0 page allocations; latencies in ns, each with one clock read of 33 ns in it
recording on, pages in flight 0

context       gfp         run     success     failure   rate %       freed in flight      min
timer_softirq GFP_ATOMIC    0         100           3   97.087         100         0     1052
task          GFP_KERNEL    0           0           0        -           0         0        -

damaged guards 0, bytes in them 0, policy warn
";
    pub(crate) const LATENCY: &str = "\
latencies (ns) of page allocations and transfers; columns: from, to (inclusive), count

timer_softirq GFP_ATOMIC: 103 allocations, sum 150000 ns, min 1052 ns, max 262041 ns
       1024        1087           53 ###
       1088        1151           40 ##
     262144      262041           10 #

task GFP_KERNEL: 0 allocations, sum 0 ns
";

    #[test]
    fn both_files_are_read() {
        let all = parse(STATS, LATENCY).unwrap();
        assert_eq!(all.len(), 2);
        let first = &all[0];
        assert_eq!(
            (first.successes, first.failures, first.samples()),
            (100, 3, 103)
        );
        assert_eq!(first.latency_sum_ns, 150_000);
        assert_eq!(
            (first.latency_min_ns, first.latency_max_ns),
            (Some(1052), Some(262_041))
        );
        assert_eq!(
            first.buckets[0],
            Bucket {
                from_ns: 1024,
                to_ns: 1087,
                count: 53
            }
        );
        assert_eq!(all[1].samples(), 0);
        assert_eq!(all[1].percentile(50.0), None);
    }

    #[test]
    fn percentiles_are_upper_edges() {
        let all = parse(STATS, LATENCY).unwrap();
        assert_eq!(all[0].percentile(50.0), Some(1087));
        assert_eq!(all[0].percentile(90.0), Some(1151));
        assert_eq!(all[0].percentile(99.9), Some(262_041));
        assert_eq!(all[0].percentile(0.0), Some(1087));
        assert_eq!(all[0].percentile(100.0), Some(262_041));
    }

    #[test]
    fn what_is_no_number_is_named() {
        let error = parse(&STATS.replace(" 100 ", " abc "), LATENCY).unwrap_err();
        assert!(error.to_string().contains("'abc'"), "{error}");
    }
}
