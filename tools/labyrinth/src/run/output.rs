// SPDX-License-Identifier: GPL-2.0

//! The report of a run in each format.

use super::{Measured, Report};
use crate::{
    json,
    module::series::Series,
    stdout,
    terminal::{self, paint, Style},
    units,
};
use comfy_table::{presets::NOTHING, CellAlignment, Table};
use hdrhistogram::Histogram;

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// JSON.
    Json,
    /// Comma-separated values.
    Csv,
    /// The kernel's test protocol.
    Ktap,
    /// The percentile distribution that HdrHistogram's tools plot.
    Hgrm,
    /// OpenMetrics text.
    OpenMetrics,
}

/// Prints the report to standard output. Returns whether its reader is still there.
pub fn print(report: &Report, format: Format) -> anyhow::Result<bool> {
    if format == Format::Json {
        return stdout::reached(json::print(report, false));
    }
    stdout::print(&text(report, format, terminal::colours()))
}

fn text(report: &Report, format: Format, coloured: bool) -> String {
    match format {
        Format::Table | Format::Json => table(report, coloured),
        Format::Csv => csv(report),
        Format::Ktap => ktap(report),
        Format::Hgrm => hgrm(report),
        Format::OpenMetrics => openmetrics(report),
    }
}

/// Returns the offences of a series, as text.
fn offences<'a>(report: &'a Report, series: &'a Series) -> impl Iterator<Item = &'a str> {
    report
        .offences
        .iter()
        .filter(|offence| offence.context == series.context && offence.gfp == series.gfp)
        .map(|offence| offence.what.as_str())
}

fn settings(report: &Report) -> String {
    let settings = report
        .settings
        .iter()
        .map(|s| format!("{} {}", s.name, s.value));

    settings.collect::<Vec<_>>().join(", ")
}

fn table(report: &Report, coloured: bool) -> String {
    let mut table = Table::new();

    table.load_preset(NOTHING);
    table.set_header([
        "context", "flags", "success", "failure", "min", "p50", "p90", "p99", "p99.9", "max",
    ]);
    for Measured {
        series,
        percentiles,
    } in &report.series
    {
        let time = |ns: Option<u64>| ns.map_or("-".into(), units::nanoseconds);
        let mut row = vec![
            series.context.clone(),
            series.gfp.clone(),
            series.successes.to_string(),
            series.failures.to_string(),
            time(series.latency_min_ns),
        ];
        row.extend(percentiles.iter().map(|percentile| time(percentile.ns)));
        row.push(time(series.latency_max_ns));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!(
        "Linux {}, {}, {:.1} s; {}\n\n{}\n\n",
        report.kernel,
        units::counted(report.cpus, "CPU"),
        report.seconds,
        settings(report),
        table.trim_fmt()
    );
    for offence in &report.offences {
        text += &format!("{} {}: {}\n", offence.context, offence.gfp, offence.what);
    }
    let style = if report.offences.is_empty() {
        Style::Good
    } else {
        Style::Bad
    };
    text + &format!("verdict: {}\n", paint(coloured, style, report.verdict))
}

fn csv(report: &Report) -> String {
    let mut text = String::from(
        "context,flags,successes,failures,min_ns,p50_ns,p90_ns,p99_ns,p99.9_ns,max_ns,sum_ns\n",
    );

    for Measured {
        series,
        percentiles,
    } in &report.series
    {
        let number = |ns: Option<u64>| ns.map_or(String::new(), |ns| ns.to_string());
        let mut cells = vec![
            series.context.clone(),
            series.gfp.clone(),
            series.successes.to_string(),
            series.failures.to_string(),
            number(series.latency_min_ns),
        ];
        cells.extend(percentiles.iter().map(|percentile| number(percentile.ns)));
        cells.push(number(series.latency_max_ns));
        cells.push(series.latency_sum_ns.to_string());
        text += &cells.join(",");
        text.push('\n');
    }
    text
}

fn ktap(report: &Report) -> String {
    let mut text = format!("KTAP version 1\n1..{}\n", report.series.len());

    for (
        number,
        Measured {
            series,
            percentiles,
        },
    ) in report.series.iter().enumerate()
    {
        for percentile in percentiles {
            if let Some(ns) = percentile.ns {
                text += &format!("# p{} {ns} ns\n", percentile.percent);
            }
        }
        let mut failed = "";
        for offence in offences(report, series) {
            failed = "not ";
            text += &format!("# {offence}\n");
        }
        // A test that measured nothing has not passed.
        if series.successes + series.failures == 0 {
            failed = "not ";
            text += "# no request was made\n";
        }
        text += &format!(
            "{failed}ok {} {}.{}\n",
            number + 1,
            series.context,
            series.gfp
        );
    }
    text
}

/// Returns a histogram with two significant digits, which is finer than the module's buckets.
fn histogram(series: &Series) -> Histogram<u64> {
    let mut histogram = Histogram::new(2).expect("two digits are allowed");

    for bucket in &series.buckets {
        // A histogram that may grow records any number.
        let _ = histogram.record_n(bucket.to_ns, bucket.count);
    }
    histogram
}

fn hgrm(report: &Report) -> String {
    const MICROSECOND: f64 = 1000.0;
    let mut text = String::new();

    for Measured { series, .. } in &report.series {
        let histogram = histogram(series);
        text += &format!("#[{} {}]\n", series.context, series.gfp);
        text += "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
        for step in histogram.iter_quantiles(5) {
            let quantile = step.quantile_iterated_to();
            let inverse = if quantile < 1.0 {
                format!("{:14.2}", 1.0 / (1.0 - quantile))
            } else {
                String::new()
            };
            text += &format!(
                "{:12.3} {quantile:2.12} {:10} {inverse}\n",
                step.value_iterated_to() as f64 / MICROSECOND,
                histogram.count_between(0, step.value_iterated_to())
            );
        }
        text += &format!(
            "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n#[Max     = {:12.3}, Total count    = {:12}]\n#[Buckets = {:12}, SubBuckets     = {:12}]\n\n",
            histogram.mean() / MICROSECOND,
            histogram.stdev() / MICROSECOND,
            histogram.max() as f64 / MICROSECOND,
            histogram.len(),
            histogram.buckets(),
            histogram.distinct_values()
        );
    }
    text
}

fn openmetrics(report: &Report) -> String {
    let mut text = String::new();
    let labels = |series: &Series| format!("context=\"{}\",gfp=\"{}\"", series.context, series.gfp);

    text += "# TYPE labyrinth_run_requests counter\n# HELP labyrinth_run_requests Page requests of the run.\n";
    for Measured { series, .. } in &report.series {
        for (outcome, count) in [("success", series.successes), ("failure", series.failures)] {
            text += &format!(
                "labyrinth_run_requests_total{{{},outcome=\"{outcome}\"}} {count}\n",
                labels(series)
            );
        }
    }
    text += "# TYPE labyrinth_run_latency_seconds summary\n# UNIT labyrinth_run_latency_seconds seconds\n# HELP labyrinth_run_latency_seconds Latency of page requests.\n";
    for Measured {
        series,
        percentiles,
    } in &report.series
    {
        for percentile in percentiles {
            if let Some(ns) = percentile.ns {
                text += &format!(
                    "labyrinth_run_latency_seconds{{{},quantile=\"{}\"}} {}\n",
                    labels(series),
                    quantile(percentile.percent),
                    seconds(ns)
                );
            }
        }
        text += &format!(
            "labyrinth_run_latency_seconds_count{{{0}}} {1}\nlabyrinth_run_latency_seconds_sum{{{0}}} {2}\n",
            labels(series),
            series.samples(),
            seconds(series.latency_sum_ns)
        );
    }
    text += "# TYPE labyrinth_run_passed gauge\n# HELP labyrinth_run_passed 1 if no threshold was crossed.\n";
    text + &format!(
        "labyrinth_run_passed {}\n# EOF\n",
        u8::from(report.offences.is_empty())
    )
}

/// Returns a percentage as a fraction, without the digits that a division in binary adds.
fn quantile(percent: f64) -> String {
    let text = format!("{:.6}", percent / 100.0);

    text.trim_end_matches('0').to_owned()
}

fn seconds(ns: u64) -> String {
    format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::{text, Format};
    use crate::{
        json,
        module::series::{
            parse,
            tests::{LATENCY, STATS},
        },
        run::{threshold, with_percentiles, Report, Setting},
    };

    fn report() -> Report {
        let series = parse(STATS, LATENCY).unwrap();
        let offences = series.iter().filter_map(threshold::failures).collect();
        Report {
            schema: "labyrinth/run/1",
            kernel: "7.3.4".into(),
            cpus: 2,
            seconds: 10.0,
            architecture: "x86_64".into(),
            preemption: None,
            parameters: vec![],
            samples: vec![],
            settings: vec![Setting {
                name: "batch",
                value: 16,
            }],
            series: series.into_iter().map(with_percentiles).collect(),
            offences,
            verdict: "fail",
        }
    }

    #[test]
    fn the_table_ends_with_the_verdict() {
        let text = text(&report(), Format::Table, false);
        assert!(
            text.starts_with("Linux 7.3.4, 2 CPUs, 10.0 s; batch 16\n"),
            "{text}"
        );
        assert!(
            text.contains("timer_softirq  GFP_ATOMIC      100        3"),
            "{text}"
        );
        assert!(text.ends_with("timer_softirq GFP_ATOMIC: 3 requests failed\nverdict: fail\n"));
    }

    #[test]
    fn csv_has_a_line_for_each_series() {
        let text = text(&report(), Format::Csv, false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[1],
            "timer_softirq,GFP_ATOMIC,100,3,1052,1087,1151,262041,262041,262041,150000"
        );
        assert_eq!(lines[2], "task,GFP_KERNEL,0,0,,,,,,,0");
    }

    #[test]
    fn a_series_without_requests_does_not_pass() {
        let text = text(&report(), Format::Ktap, false);
        assert!(text.contains("\nnot ok 1 timer_softirq.GFP_ATOMIC\n"));
        assert!(text.contains("# no request was made\nnot ok 2 task.GFP_KERNEL\n"));
    }

    #[test]
    fn the_distribution_ends_with_all_samples() {
        let text = text(&report(), Format::Hgrm, false);
        assert!(text.contains("Total count    =          103]"), "{text}");
        assert!(text.contains(" 1.000000000000        103"), "{text}");
    }

    #[test]
    fn metrics_end_as_the_format_demands() {
        let text = text(&report(), Format::OpenMetrics, false);
        assert!(text.contains(
            "labyrinth_run_requests_total{context=\"timer_softirq\",gfp=\"GFP_ATOMIC\",outcome=\"failure\"} 3\n"
        ));
        assert!(text.contains("quantile=\"0.999\"} 0.000262041\n"), "{text}");
        assert!(text.ends_with("labyrinth_run_passed 0\n# EOF\n"));
    }

    #[test]
    fn the_schema_is_the_documented_one() {
        json::hold::<Report>();
    }
}
