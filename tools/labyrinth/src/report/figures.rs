// SPDX-License-Identifier: GPL-2.0

//! The plots of the page, each with its numbers as a table.

use super::page::{swatch, table};
use crate::{
    module::series::Series,
    plot::{self, draw, escape, Axis, Plot, MOST},
    run::samples::Sample,
    runs::Run,
    units,
};

type Points = Vec<(f64, f64)>;

fn time(value: f64) -> String {
    units::nanoseconds(value.round() as u64)
}

fn count(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{}G", value / 1e9),
        value if value >= 1e6 => format!("{}M", value / 1e6),
        value if value >= 1e4 => format!("{}k", value / 1e3),
        value => format!("{}", (value * 100.0).round() / 100.0),
    }
}

fn seconds(value: f64) -> String {
    format!("{value:.0}")
}

/// Returns the label of 1/(1−p): the percentage p.
fn percent(tail: f64) -> String {
    let nines = tail.log10().round() as usize;

    match nines {
        0 => "0".into(),
        1..=5 => format!("{:.*}", nines.saturating_sub(2), 100.0 - 100.0 / tail),
        // There is no space for all digits.
        _ => format!("{nines} nines"),
    }
}

const fn axis<'a>(name: &'a str, log: bool, label: &'a dyn Fn(f64) -> String) -> Axis<'a> {
    Axis { name, log, label }
}

fn figure(plot: &Plot<'_>, numbers: &str) -> anyhow::Result<String> {
    let numbers = if numbers.is_empty() {
        String::new()
    } else {
        format!("<details><summary>As a table</summary>\n{numbers}</details>\n")
    };

    Ok(format!(
        "<figure>\n<figcaption>{}</figcaption>\n{}{numbers}</figure>\n",
        escape(plot.title),
        draw(plot)?
    ))
}

/// Returns the line of the percentiles: for each bucket, 1/(1−p) at its start and end, where p is
/// the share of the requests below, and its latency.
fn share_and_latency(series: &Series) -> Points {
    let (samples, mut below) = (series.samples(), 0);
    let mut line = vec![];

    for bucket in series.buckets.iter().filter(|bucket| bucket.count > 0) {
        let at = bucket.to_ns as f64;
        line.push((samples as f64 / (samples - below) as f64, at));
        below += bucket.count;
        line.push((samples as f64 / (samples - below).max(1) as f64, at));
    }
    line
}

fn percentiles<'a>(description: &'a str, series: &'a [Points]) -> Plot<'a> {
    Plot {
        title: "Percentiles of latencies",
        description,
        x: axis("percent of the requests", true, &percent),
        y: axis("latency", true, &time),
        series,
    }
}

/// Returns an SVG file with the percentiles of these exercises: the first exercise of each run,
/// then the second, and so on, up to the number of lines that a plot can distinguish.
pub(super) fn svg(runs: &[Run], exercises: &[(String, String)]) -> anyhow::Result<String> {
    let (mut names, mut lines) = (vec![], vec![]);

    for (context, gfp) in exercises {
        for run in runs {
            let this = |series: &&Series| series.context == *context && series.gfp == *gfp;
            let Some(series) = run.series.iter().find(this) else {
                continue;
            };
            names.push(if runs.len() > 1 {
                format!("{}: {context} {gfp}", run.source)
            } else {
                format!("{context} {gfp}")
            });
            lines.push(share_and_latency(series));
        }
    }
    names.truncate(MOST);
    let description = format!(
        "The latency that a share of the requests did not exceed: {}",
        names.join(", ")
    );
    plot::file(&percentiles(&description, &lines), &names)
}

/// Returns the histogram and the percentiles of an exercise.
pub(super) fn latencies(runs: &[Run], name: &(String, String)) -> anyhow::Result<String> {
    let (mut bars, mut tails): (Vec<Points>, Vec<Points>) = (vec![], vec![]);
    let (mut bar_rows, mut tail_rows) = (vec![], vec![]);
    let title = format!("{} {}", name.0, name.1);

    for run in runs.iter().take(MOST) {
        let (mut outline, mut tail) = (vec![], vec![]);
        let series = run
            .series
            .iter()
            .filter(|series| series.context == name.0 && series.gfp == name.1);
        for series in series {
            tail.extend(share_and_latency(series));
            let mut end = None;
            for bucket in series.buckets.iter().filter(|bucket| bucket.count > 0) {
                let (from, to) = (bucket.from_ns.max(1) as f64, bucket.to_ns as f64 + 1.0);
                // The line falls to one half, below all counts, where no latency is.
                if end != Some(bucket.from_ns) {
                    outline.extend(end.map(|end: u64| (end as f64, 0.5)));
                    outline.push((from, 0.5));
                }
                outline.extend([(from, bucket.count as f64), (to, bucket.count as f64)]);
                end = Some(bucket.to_ns + 1);
                bar_rows.push(vec![
                    run.source.clone(),
                    units::nanoseconds(bucket.from_ns),
                    units::nanoseconds(bucket.to_ns),
                    bucket.count.to_string(),
                ]);
            }
            outline.extend(end.map(|end| (end as f64, 0.5)));
            for share in [50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 99.999, 100.0] {
                if let Some(ns) = series.percentile(share) {
                    tail_rows.push(vec![
                        run.source.clone(),
                        format!("{share} %"),
                        units::nanoseconds(ns),
                    ]);
                }
            }
        }
        bars.push(outline);
        tails.push(tail);
    }
    let histogram = Plot {
        title: "Histogram of latencies",
        description: &format!("How many requests of {title} took how long; both axes logarithmic"),
        x: axis("latency", true, &time),
        y: axis("requests in a bucket", true, &|value| {
            if value < 1.0 {
                String::new()
            } else {
                count(value)
            }
        }),
        series: &bars,
    };
    let description = format!("The latency that a share of the requests of {title} did not exceed");
    let percentiles = percentiles(&description, &tails);
    Ok(format!(
        "<div class=\"plots\">\n{}{}</div>\n",
        figure(
            &histogram,
            &table("", "Buckets", &["run", "from", "to", "requests"], &bar_rows)
        )?,
        figure(
            &percentiles,
            &table("", "Percentiles", &["run", "share", "at most"], &tail_rows)
        )?
    ))
}

/// Returns the growth of a count per second between samples.
fn rate(samples: &[Sample], of: impl Fn(&Sample) -> u64) -> Points {
    let (mut time, mut before) = (0.0, 0);
    let mut points = Vec::new();

    for sample in samples {
        let (passed, now) = (sample.seconds - time, of(sample));
        // The last sample may follow the one before it at once.
        if passed > 0.1 {
            points.push((sample.seconds, now.saturating_sub(before) as f64 / passed));
            (time, before) = (sample.seconds, now);
        }
    }
    points
}

/// Returns rates, tiers and headroom.
pub(super) fn over_time(runs: &[Run]) -> anyhow::Result<String> {
    let shown = &runs[..runs.len().min(MOST)];
    let rates = |of: fn(&Sample) -> u64| -> Vec<Points> {
        shown.iter().map(|run| rate(&run.samples, of)).collect()
    };
    let (served, failed) = (
        rates(|sample| sample.successes),
        rates(|sample| sample.failures),
    );
    let headroom: Vec<Points> = shown
        .iter()
        .map(|run| {
            let seen = |sample: &Sample| Some((sample.seconds, sample.headroom? as f64));
            run.samples.iter().filter_map(seen).collect()
        })
        .collect();
    let mut rows = vec![];
    for ((run, served), failed) in shown.iter().zip(&served).zip(&failed) {
        for (served, failed) in served.iter().zip(failed) {
            let at = run.samples.iter().find(|sample| sample.seconds == served.0);
            rows.push(vec![
                run.source.clone(),
                format!("{:.1} s", served.0),
                format!("{:.0}/s", served.1),
                format!("{:.2}/s", failed.1),
                at.and_then(|sample| sample.headroom).map_or_else(
                    || "cannot be seen".into(),
                    |pages| units::counted(pages, "page"),
                ),
            ]);
        }
    }
    let head = ["run", "time", "served", "failed", "headroom"];
    let numbers = table("", "Rates and headroom", &head, &rows);
    let mut text = String::from("<div class=\"plots\">\n");
    for (title, description, unit, series) in [
        (
            "Requests served per second",
            "Requests of all exercises that got a page",
            "requests/s",
            &served,
        ),
        (
            "Requests failed per second",
            "Requests of all exercises that got no page",
            "requests/s",
            &failed,
        ),
        (
            "Headroom",
            "Pages that a burst of GFP_ATOMIC requests could still get",
            "pages",
            &headroom,
        ),
    ] {
        let plot = Plot {
            title,
            description: &format!("{description}, over the time of each run"),
            x: axis("time in s", false, &seconds),
            y: axis(unit, false, &count),
            series,
        };
        if series.iter().any(|points| !points.is_empty()) {
            text += &figure(&plot, "")?;
        } else {
            text += &format!("<p>{title}: cannot be seen in these runs.</p>\n");
        }
    }
    text += "</div>\n";
    text += &format!(
        "<details><summary>Rates and headroom as a table</summary>\n{numbers}</details>\n"
    );
    Ok(text + &tiers(shown)?)
}

/// Returns what the tiers of the pools served.
fn tiers(runs: &[Run]) -> anyhow::Result<String> {
    let mut text = String::from("<h3>What each tier served</h3>\n");
    let mut rows = vec![];
    let mut plots = String::new();

    for run in runs {
        let Some(last) = run.samples.last() else {
            continue;
        };
        let mut pools: Vec<&str> = last.tiers.iter().map(|tier| tier.pool.as_str()).collect();
        pools.sort_unstable();
        pools.dedup();
        for pool in pools {
            let of_pool = || last.tiers.iter().filter(|tier| tier.pool == pool);
            let sum: u64 = of_pool().map(|tier| tier.pages).sum();
            // A pool that served nothing is no news.
            if sum == 0 {
                continue;
            }
            let (mut series, mut key) = (vec![], String::new());
            for (index, tier) in of_pool().take(MOST).enumerate() {
                let pages = |sample: &Sample| {
                    let same = sample
                        .tiers
                        .iter()
                        .find(|known| known.pool == pool && known.tier == tier.tier);
                    same.map_or(0, |tier| tier.pages)
                };
                series.push(rate(&run.samples, pages));
                key += &format!("<li>{}{}</li>\n", swatch(index), escape(&tier.tier));
                rows.push(vec![
                    run.source.clone(),
                    pool.to_owned(),
                    tier.tier.clone(),
                    tier.pages.to_string(),
                    format!("{:.2} %", tier.pages as f64 * 100.0 / sum as f64),
                ]);
            }
            let plot = Plot {
                title: &format!("{}: pool {pool}", run.source),
                description: "Requests that each tier of the pool served per second",
                x: axis("time in s", false, &seconds),
                y: axis("requests/s", false, &count),
                series: &series,
            };
            plots += &format!(
                "<div>{}<ul class=\"key\">{key}</ul></div>\n",
                figure(&plot, "")?
            );
        }
    }
    if rows.is_empty() {
        return Ok(text + "<p>No pool served a request.</p>\n");
    }
    let head = ["run", "pool", "tier", "requests", "share"];
    text += &table("", "Requests by tier", &head, &rows);
    Ok(text + &format!("<div class=\"plots\">\n{plots}</div>\n"))
}

#[cfg(test)]
mod tests {
    use super::{count, percent, rate};
    use crate::runs::tests::made_up;

    #[test]
    fn labels_are_short() {
        assert_eq!(
            [1.0, 10.0, 100.0, 1e3, 1e5, 1e6, 1e9].map(percent),
            ["0", "90", "99", "99.9", "99.999", "6 nines", "9 nines"]
        );
        assert_eq!(
            [0.25, 1000.0, 20_000.0, 1.5e6].map(count),
            ["0.25", "1000", "20k", "1.5M"]
        );
    }

    #[test]
    fn rates_are_differences() {
        let run = made_up(1.0);
        let points = rate(&run.samples, |sample| sample.successes);
        assert_eq!(points, [(1.0, 900.0), (2.0, 1097.0)]);
    }
}
