// SPDX-License-Identifier: GPL-2.0

//! The page: its head, tables and sections.

use super::figures;
use crate::{
    plot::{escape, MOST, STYLE},
    runs::Run,
    units,
};
use std::fmt::Write;

/// Returns the page as HTML that is XML, too.
pub(super) fn page(runs: &[Run]) -> anyhow::Result<String> {
    let passed = runs.iter().all(|run| run.verdict == "pass");
    let verdict = if passed { "pass" } else { "fail" };
    let mut body = String::new();

    writeln!(
        body,
        "<h1>labyrinth: atomic page requests</h1>\n<p>Verdict: <span class=\"{verdict}\">{verdict}</span></p>"
    )?;
    body += &offences(runs);
    body += "<h2>Runs</h2>\n";
    body += &about(runs);
    if runs.len() > MOST {
        writeln!(
            body,
            "<p>The plots show the first {MOST} runs; the tables show all {}.</p>",
            runs.len()
        )?;
    }
    body += &key(runs);
    for name in names(runs) {
        body += &context(runs, &name)?;
    }
    body += &over_time(runs)?;
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"generator\" content=\"labyrinth report\"/>\n<title>labyrinth: {verdict}, {}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escape(&runs[0].kernel),
        include_str!("style.css")
    ))
}

/// Returns a table. The first cell of each row names it. On narrow screens each cell has its own
/// line with the name of its column; roles keep it a table for those who hear it.
pub(super) fn table(class: &str, caption: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!(
        "<table role=\"table\" class=\"{class}\">\n<caption>{}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">",
        escape(caption)
    );

    for name in head {
        text += &format!(
            "<th role=\"columnheader\" scope=\"col\">{}</th>",
            escape(name)
        );
    }
    text += "</tr></thead>\n<tbody role=\"rowgroup\">\n";
    for row in rows {
        text += "<tr role=\"row\">";
        for (index, (cell, name)) in row.iter().zip(head).enumerate() {
            let (tag, rest) = if index == 0 {
                ("th", "role=\"rowheader\" scope=\"row\"")
            } else {
                ("td", "role=\"cell\"")
            };
            text += &format!(
                "<{tag} {rest} data-name=\"{}\"><span>{}</span></{tag}>",
                escape(name),
                escape(cell)
            );
        }
        text += "</tr>\n";
    }
    text + "</tbody>\n</table>\n"
}

fn offences(runs: &[Run]) -> String {
    let mut items = String::new();

    for run in runs {
        for offence in &run.offences {
            items += &format!(
                "<li>{}: {} {}: {}</li>\n",
                escape(&run.source),
                escape(&offence.context),
                escape(&offence.gfp),
                escape(&offence.what)
            );
        }
    }
    if items.is_empty() {
        return "<p>No threshold was crossed.</p>\n".into();
    }
    format!("<p>Thresholds that were crossed:</p>\n<ul>\n{items}</ul>\n")
}

fn about(runs: &[Run]) -> String {
    let unknown = || "cannot be seen".to_owned();
    let rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let settings: Vec<String> = run
                .settings
                .iter()
                .map(|setting| format!("{} {}", setting.name, setting.value))
                .collect();
            vec![
                run.source.clone(),
                run.kernel.clone(),
                run.architecture.clone().unwrap_or_else(unknown),
                run.cpus.to_string(),
                run.preemption.clone().unwrap_or_else(unknown),
                run.parameters.join(" "),
                settings.join(", "),
                format!("{:.1} s", run.seconds),
                run.verdict.clone(),
            ]
        })
        .collect();
    let head = [
        "run",
        "kernel",
        "architecture",
        "CPUs",
        "preemption",
        "parameters",
        "settings",
        "duration",
        "verdict",
    ];

    table("words", "What ran where", &head, &rows)
}

fn key(runs: &[Run]) -> String {
    let mut text = String::from("<ul class=\"key\" aria-label=\"Lines of the plots\">\n");

    for (index, run) in runs.iter().take(MOST).enumerate() {
        text += &format!("<li>{}{}</li>\n", swatch(index), escape(&run.source));
    }
    text + "</ul>\n"
}

/// Returns a piece of the line of a series, for keys.
pub(super) fn swatch(index: usize) -> String {
    format!(
        "<svg class=\"plot\" style=\"display:inline-block\" aria-hidden=\"true\" viewBox=\"0 0 40 12\" xmlns=\"http://www.w3.org/2000/svg\"><line x1=\"0\" y1=\"6\" x2=\"40\" y2=\"6\" stroke-width=\"3\" class=\"line{}\"/></svg>",
        index + 1
    )
}

/// Returns the exercises and flags that have requests.
pub(super) fn names(runs: &[Run]) -> Vec<(String, String)> {
    let mut names = Vec::new();

    for series in runs.iter().flat_map(|run| &run.series) {
        let name = (series.context.clone(), series.gfp.clone());
        if series.successes + series.failures > 0 && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn context(runs: &[Run], name: &(String, String)) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    let title = format!("{} {}", name.0, name.1);
    let time = |ns: Option<u64>| ns.map_or_else(|| "-".into(), units::nanoseconds);

    for run in runs {
        let series = run
            .series
            .iter()
            .filter(|series| series.context == name.0 && series.gfp == name.1);
        for series in series {
            let requests = series.successes + series.failures;
            let rate = series.successes as f64 * 100.0 / requests.max(1) as f64;
            rows.push(vec![
                run.source.clone(),
                series.successes.to_string(),
                series.failures.to_string(),
                // Rounded down, so that 100 means that none failed.
                format!("{:.3} %", (rate * 1000.0).floor() / 1000.0),
                time(series.latency_min_ns),
                time(series.percentile(50.0)),
                time(series.percentile(99.0)),
                time(series.percentile(99.9)),
                time(series.latency_max_ns),
            ]);
        }
    }
    let head = [
        "run",
        "successes",
        "failures",
        "served",
        "min",
        "p50",
        "p99",
        "p99.9",
        "max",
    ];
    let numbers = table(
        "",
        &format!("Requests and latencies of {title}"),
        &head,
        &rows,
    );
    Ok(format!(
        "<section>\n<h2>{}</h2>\n{numbers}{}</section>\n",
        escape(&title),
        figures::latencies(runs, name)?
    ))
}

fn over_time(runs: &[Run]) -> anyhow::Result<String> {
    let mut text = String::from("<section>\n<h2>Over time</h2>\n");

    if runs.iter().all(|run| run.samples.is_empty()) {
        return Ok(text + "<p>These runs have no numbers over time.</p>\n</section>\n");
    }
    text += &figures::over_time(runs)?;
    Ok(text + "</section>\n")
}
