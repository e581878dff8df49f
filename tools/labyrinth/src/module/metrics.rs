// SPDX-License-Identifier: GPL-2.0

//! Reads the numbers of the exercises and of the pools from the file `metrics`. All other lines of
//! the file are skipped quickly, because it is read up to a hundred times a second.

use std::borrow::Cow;

/// The numbers in `metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Each series of requests, in the order of the module.
    pub series: Vec<Series>,
    /// Each exercise, and whether it runs.
    pub running: Vec<(String, bool)>,
    /// The pools.
    pub pools: Vec<Pool>,
    /// The setting `recording`: 0 records nothing, 1 all, 2 only outcomes.
    pub recording: Option<u64>,
}

/// Requests of an exercise with a set of flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// The exercise.
    pub context: String,
    /// The flags, or "nolock".
    pub gfp: String,
    /// Requests that got a page.
    pub successes: u64,
    /// Requests that failed.
    pub failures: u64,
    /// The upper edge of each bucket, in ns. `None` means that the bucket has none.
    pub edges: Vec<Option<u64>>,
    /// The number of latencies in each bucket.
    pub buckets: Vec<u64>,
}

/// A pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// The name.
    pub name: String,
    /// The tiers, in the order in which requests try them.
    pub tiers: Vec<Tier>,
    /// Requests that no tier could serve.
    pub failures: u64,
    /// Pages in the caches of the CPUs.
    pub cached: u64,
    /// Pages in the reserve.
    pub reserved: u64,
    /// Pages that the reserve should hold.
    pub reserve_target: u64,
    /// Pages that wait to be freed.
    pub returning: u64,
}

/// A tier of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    /// "cache", "buddy", "reserve" or "emergency"
    pub name: String,
    /// Requests that the tier served.
    pub hits: u64,
    /// Requests that the tier could not serve.
    pub misses: u64,
}

/// Parses the text. Returns nothing if its end is missing.
pub fn parse(text: &str) -> Option<Metrics> {
    let mut metrics = Metrics::default();

    if !text.ends_with("# EOF\n") {
        return None;
    }
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("labyrinth_") {
            // Lines of a newer module may have another form.
            let _ = metrics.add(rest);
        }
    }
    for series in &mut metrics.series {
        series.separate();
    }
    Some(metrics)
}

impl Metrics {
    /// Adds a line such as `pool_cached{pool="default"} 12`, if it has a known name.
    fn add(&mut self, line: &str) -> Option<()> {
        let name = &line[..line.find(['{', ' '])?];
        let (labels, value) = line[name.len()..].rsplit_once(' ')?;
        let labels = Labels(labels);
        let number = || value.parse::<u64>().ok();

        match name {
            "page_alloc_total" => {
                let series = self.series(labels)?;
                match &*labels.get("outcome")? {
                    "success" => series.successes = number()?,
                    _ => series.failures = number()?,
                }
            }
            "page_alloc_latency_seconds_bucket" => {
                let edge = nanoseconds(&labels.get("le")?);
                let series = self.series(labels)?;
                series.edges.push(edge);
                series.buckets.push(number()?);
            }
            "exercise_running" => {
                let context = labels.get("context")?.into_owned();
                self.running.push((context, number()? != 0));
            }
            "recording" => self.recording = number(),
            "pool_requests_total" => {
                let tier = self.pool(labels)?.tier(&labels.get("tier")?);
                match &*labels.get("outcome")? {
                    "hit" => tier.hits += number()?,
                    _ => tier.misses += number()?,
                }
            }
            "pool_failures_total" => self.pool(labels)?.failures += number()?,
            "pool_cached" => self.pool(labels)?.cached = number()?,
            "pool_reserved" => self.pool(labels)?.reserved = number()?,
            "pool_reserve_target" => self.pool(labels)?.reserve_target = number()?,
            "pool_returning" => self.pool(labels)?.returning = number()?,
            _ => {}
        }
        Some(())
    }

    /// Returns the series with these labels. The lines of a series follow each other.
    fn series(&mut self, labels: Labels<'_>) -> Option<&mut Series> {
        let (context, gfp) = (labels.get("context")?, labels.get("gfp")?);
        let known = self
            .series
            .iter()
            .rposition(|series| series.context == context && series.gfp == gfp);
        let index = known.unwrap_or_else(|| {
            self.series.push(Series {
                context: context.into_owned(),
                gfp: gfp.into_owned(),
                ..Series::default()
            });
            self.series.len() - 1
        });

        self.series.get_mut(index)
    }

    fn pool(&mut self, labels: Labels<'_>) -> Option<&mut Pool> {
        let name = labels.get("pool")?;
        let known = self.pools.iter().rposition(|pool| pool.name == name);
        let index = known.unwrap_or_else(|| {
            self.pools.push(Pool {
                name: name.into_owned(),
                ..Pool::default()
            });
            self.pools.len() - 1
        });

        self.pools.get_mut(index)
    }
}

impl Series {
    /// Converts cumulative counts of buckets into the count of each bucket.
    fn separate(&mut self) {
        let mut before = 0;

        for count in &mut self.buckets {
            let all = *count;
            *count = all.saturating_sub(before);
            before = all;
        }
    }
}

impl Pool {
    fn tier(&mut self, name: &str) -> &mut Tier {
        let known = self.tiers.iter().position(|tier| tier.name == name);
        let index = known.unwrap_or_else(|| {
            self.tiers.push(Tier {
                name: name.to_owned(),
                ..Tier::default()
            });
            self.tiers.len() - 1
        });

        &mut self.tiers[index]
    }
}

/// The labels of a line, in braces.
#[derive(Clone, Copy)]
struct Labels<'a>(&'a str);

impl<'a> Labels<'a> {
    /// Returns the value of a label.
    fn get(self, wanted: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.0.strip_prefix('{')?;

        loop {
            let (name, value) = rest.split_once("=\"")?;
            let end = end(value)?;
            if name == wanted {
                return Some(unescaped(&value[..end]));
            }
            rest = value[end + 1..].strip_prefix(',')?;
        }
    }
}

/// Returns the end of a value, which is at a quote that is not escaped.
fn end(value: &str) -> Option<usize> {
    let mut escaped = false;

    value.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut text = String::new();
    let mut characters = value.chars();

    while let Some(character) = characters.next() {
        text.extend(match character {
            '\\' => characters
                .next()
                .map(|next| if next == 'n' { '\n' } else { next }),
            other => Some(other),
        });
    }
    Cow::Owned(text)
}

/// Parses seconds such as "0.000001023" without a loss. Returns no number for "+Inf".
fn nanoseconds(seconds: &str) -> Option<u64> {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let part = part.get(..9).unwrap_or(part);
    let scale = 10_u64.pow(9 - part.len() as u32);
    let nanos = if part.is_empty() {
        0
    } else {
        part.parse::<u64>().ok()?
    };

    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos * scale)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{nanoseconds, parse};

    /// The text of a small machine.
    pub(crate) const TEXT: &str = r#"# TYPE labyrinth_page_alloc counter
# HELP labyrinth_page_alloc Page allocations.
labyrinth_page_alloc_total{context="task",gfp="GFP_ATOMIC",outcome="success"} 90
labyrinth_page_alloc_total{context="task",gfp="GFP_ATOMIC",outcome="failure"} 10
labyrinth_page_alloc_total{context="task",gfp="GFP_KERNEL",outcome="success"} 7
labyrinth_page_alloc_total{context="task",gfp="GFP_KERNEL",outcome="failure"} 0
# TYPE labyrinth_page_alloc_latency_seconds histogram
labyrinth_page_alloc_latency_seconds_bucket{context="task",gfp="GFP_ATOMIC",le="0.000000511"} 60
labyrinth_page_alloc_latency_seconds_bucket{context="task",gfp="GFP_ATOMIC",le="0.000001023"} 95
labyrinth_page_alloc_latency_seconds_bucket{context="task",gfp="GFP_ATOMIC",le="+Inf"} 100
labyrinth_page_alloc_latency_seconds_count{context="task",gfp="GFP_ATOMIC"} 100
labyrinth_page_alloc_latency_seconds_sum{context="task",gfp="GFP_ATOMIC"} 0.000123456
labyrinth_recording 1
labyrinth_exercise_running{context="task"} 1
labyrinth_exercise_running{context="spinlock"} 0
labyrinth_pool_requests_total{pool="a\"b,c",context="task",tier="cache",outcome="hit"} 3
labyrinth_pool_requests_total{pool="a\"b,c",context="task",tier="cache",outcome="miss"} 1
labyrinth_pool_requests_total{pool="a\"b,c",context="softirq",tier="cache",outcome="hit"} 4
labyrinth_pool_requests_total{pool="a\"b,c",context="softirq",tier="buddy",outcome="hit"} 1
labyrinth_pool_failures_total{pool="a\"b,c",context="task"} 2
labyrinth_pool_failures_total{pool="a\"b,c",context="softirq"} 1
labyrinth_pool_cached{pool="a\"b,c"} 11
labyrinth_pool_reserved{pool="a\"b,c"} 200
labyrinth_pool_reserve_target{pool="a\"b,c"} 256
labyrinth_pool_returning{pool="a\"b,c"} 5
labyrinth_some_driver_total{queue="1"} 12
# EOF
"#;

    #[test]
    fn series_have_outcomes_and_histograms() {
        let metrics = parse(TEXT).unwrap();
        let [first, second] = &metrics.series[..] else {
            panic!("{:?}", metrics.series);
        };
        assert_eq!(
            (first.context.as_str(), first.gfp.as_str()),
            ("task", "GFP_ATOMIC")
        );
        assert_eq!((first.successes, first.failures), (90, 10));
        assert_eq!(first.edges, [Some(511), Some(1023), None]);
        assert_eq!(first.buckets, [60, 35, 5]);
        assert_eq!((second.successes, second.buckets.len()), (7, 0));
        assert_eq!(metrics.recording, Some(1));
        assert_eq!(
            metrics.running,
            [("task".into(), true), ("spinlock".into(), false)]
        );
    }

    #[test]
    fn contexts_of_a_pool_are_added_up() {
        let metrics = parse(TEXT).unwrap();
        let [pool] = &metrics.pools[..] else {
            panic!("{:?}", metrics.pools);
        };
        assert_eq!(pool.name, "a\"b,c");
        let tiers: Vec<(&str, u64, u64)> = pool
            .tiers
            .iter()
            .map(|tier| (tier.name.as_str(), tier.hits, tier.misses))
            .collect();
        assert_eq!(tiers, [("cache", 7, 1), ("buddy", 1, 0)]);
        assert_eq!((pool.failures, pool.cached, pool.reserved), (3, 11, 200));
        assert_eq!((pool.reserve_target, pool.returning), (256, 5));
    }

    #[test]
    fn half_a_text_is_none() {
        assert_eq!(parse(&TEXT[..TEXT.len() - 1]), None);
        assert_eq!(parse(""), None);
        assert!(parse("# EOF\n").unwrap().series.is_empty());
    }

    #[test]
    fn strange_lines_are_skipped() {
        let text =
            "labyrinth_\nlabyrinth_pool_cached{pool=\"x} 1\nlabyrinth_pool_cached 1\n# EOF\n";
        assert!(parse(text).unwrap().pools.is_empty());
    }

    #[test]
    fn seconds_are_exact() {
        assert_eq!(nanoseconds("0.000001023"), Some(1023));
        assert_eq!(nanoseconds("68.719476735"), Some(68_719_476_735));
        assert_eq!(nanoseconds("2"), Some(2_000_000_000));
        assert_eq!(nanoseconds("0.5"), Some(500_000_000));
        assert_eq!(nanoseconds("+Inf"), None);
    }
}
