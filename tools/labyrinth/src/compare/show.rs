// SPDX-License-Identifier: GPL-2.0

//! The comparison as a table and as KTAP.

use super::{Comparison, Estimate, Finding, Metric, Row, Side};
use crate::{
    terminal::{paint, Style},
    units,
};
use comfy_table::{presets::NOTHING, CellAlignment, Table};

/// Returns a mean with half the width of its interval, such as "1042 ns ± 5 ns".
pub(super) fn estimate(metric: Metric, estimate: &Estimate) -> String {
    let show = |number| value(metric, number, estimate.mean);
    let mean = show(estimate.mean);

    match estimate.half_width {
        None => mean,
        Some(half) => format!("{mean} ± {}", show(half)),
    }
}

/// Returns a value with its unit, in whole ns if the mean is short.
fn value(metric: Metric, value: f64, mean: f64) -> String {
    if metric == Metric::SuccessRate {
        format!("{value:.3} %")
    } else if mean < 10_000.0 {
        // Two sides often differ by less than a tenth of a microsecond.
        format!("{value:.0} ns")
    } else {
        units::nanoseconds(value.round() as u64)
    }
}

/// Returns how much B differs from A.
pub(super) fn change(row: &Row) -> String {
    let difference = row.b.mean - row.a.mean;

    if row.metric == Metric::SuccessRate {
        format!("{difference:+.3} points")
    } else if row.a.mean > 0.0 {
        format!("{:+.1} %", difference / row.a.mean * 100.0)
    } else {
        "-".into()
    }
}

pub(super) fn side(name: &str, side: &Side) -> String {
    format!(
        "{name}: Linux {}, {}",
        side.kernels.join(" and "),
        units::counted(side.runs, "run")
    )
}

pub(super) fn table(comparison: &Comparison, coloured: bool) -> String {
    let mut text = format!(
        "{}\n{}\nmeans with 95 % confidence intervals; latencies matter from {} % on, success rates from {} points on\n",
        side("A", &comparison.a),
        side("B", &comparison.b),
        comparison.matters_percent,
        comparison.success_matters_points
    );
    let mut last = None;
    let mut table = Table::new();

    for note in &comparison.notes {
        text += &format!("note: {note}\n");
    }
    text.push('\n');
    table
        .load_preset(NOTHING)
        .set_header(["context", "gfp", "metric", "A", "B", "change", "B is"]);
    for row in &comparison.rows {
        let key = (&row.context, &row.gfp);
        let named = last == Some(key);
        last = Some(key);
        table.add_row([
            if named { "" } else { &row.context },
            if named { "" } else { &row.gfp },
            row.metric.name(),
            &estimate(row.metric, &row.a),
            &estimate(row.metric, &row.b),
            &change(row),
            row.finding.text(),
        ]);
    }
    for column in 3..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.to_string().lines() {
        // The table counts no escapes, so colours come last.
        let line = line.trim_end();
        let style = if line.ends_with("worse") {
            Some(Style::Bad)
        } else if line.ends_with("better") {
            Some(Style::Good)
        } else if line.contains("cannot tell") {
            Some(Style::Warning)
        } else {
            None
        };
        text += &style.map_or_else(|| line.to_owned(), |style| paint(coloured, style, line));
        text.push('\n');
    }
    text + &format!("\nverdict: {}\n", summary(comparison))
}

/// Returns how many metrics have which finding.
pub(super) fn summary(comparison: &Comparison) -> String {
    let count = |finding| comparison.count(finding);

    format!(
        "{} worse, {} better, {} without a difference, {} that cannot be told",
        count(Finding::Worse),
        count(Finding::Better),
        count(Finding::Same),
        count(Finding::TooFew) + count(Finding::Spread)
    )
}

pub(super) fn ktap(comparison: &Comparison) -> String {
    let mut text = format!("KTAP version 1\n1..{}\n", comparison.rows.len());

    for (index, row) in comparison.rows.iter().enumerate() {
        let (result, skip) = match row.finding {
            Finding::Worse => ("not ok", String::new()),
            Finding::TooFew | Finding::Spread => ("ok", format!(" # SKIP {}", row.finding.text())),
            Finding::Better | Finding::Same => ("ok", String::new()),
        };
        text += &format!(
            "# A {}, B {}, {}: {}\n{result} {} {}.{}.{}{skip}\n",
            estimate(row.metric, &row.a),
            estimate(row.metric, &row.b),
            change(row),
            row.finding.text(),
            index + 1,
            row.context,
            row.gfp,
            row.metric.name().replace(' ', "_")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{ktap, table};
    use crate::compare::tests::slower;

    #[test]
    fn the_table_is_the_golden_one() {
        let found = table(&slower(), false);
        let golden = include_str!("golden.txt");
        if std::env::var_os("LABYRINTH_WRITE_SCHEMAS").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/compare/golden.txt");
            std::fs::write(path, &found).unwrap();
        }
        assert_eq!(found, golden);
    }

    #[test]
    fn a_worse_metric_is_a_failed_test() {
        let text = ktap(&slower());
        assert!(text.starts_with("KTAP version 1\n1..6\n"), "{text}");
        assert!(text.contains("\nok 1 timer_softirq.GFP_ATOMIC.success_rate\n"));
        assert!(text.contains("\nnot ok 2 timer_softirq.GFP_ATOMIC.p50\n"));
        assert_eq!(text.matches("not ok").count(), 5, "{text}");
    }
}
