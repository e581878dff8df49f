// SPDX-License-Identifier: GPL-2.0

//! The summary as text.

use super::{document::Summary, probe::Cause, tally::Row};
use crate::{
    terminal::{paint, Style},
    units,
};
use comfy_table::{presets, CellAlignment, Table};
use std::fmt::Write;

/// The rows that are shown. All are in the JSON document.
const ROWS: usize = 30;

/// Returns the summary as text.
pub fn text(summary: &Summary, coloured: bool) -> String {
    let mut out = String::new();
    let what = match summary.failures {
        1 => "1 failed page allocation".to_owned(),
        count => format!("{count} failed page allocations"),
    };
    let style = if summary.crossed {
        Style::Bad
    } else {
        Style::Bold
    };

    let _ = writeln!(
        out,
        "{} in {:.1} s, seen by {}",
        paint(coloured, style, &what),
        summary.seconds,
        summary.source.name()
    );
    if !summary.rows.is_empty() {
        let _ = writeln!(out, "\n{}", table(&summary.rows));
        if summary.rows.len() > ROWS {
            let _ = writeln!(
                out,
                "… and {} more rows (all: --json)",
                summary.rows.len() - ROWS
            );
        }
        for row in summary.rows.iter().take(ROWS) {
            write_stack(&mut out, row);
        }
        let _ = writeln!(out);
    }
    let shares = [
        ("by process", &summary.by_process),
        ("by node", &summary.by_node),
    ];
    for (name, rows) in shares.into_iter().filter(|(_, rows)| !rows.is_empty()) {
        let _ = writeln!(out, "{name}: {}", share(rows));
    }
    for line in remarks(summary) {
        let _ = writeln!(out, "{line}");
    }
    out
}

fn remarks(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();

    if summary.without_details > 0 {
        lines.push(format!("without details: {}", summary.without_details));
    }
    if let Some(injected) = summary.injected {
        lines.push(format!("injected by fail_page_alloc: {injected}"));
    }
    if summary.other_warnings > 0 {
        lines.push(format!(
            "not counted: {} of vmalloc and others, which report in the same way",
            units::counted(summary.other_warnings, "failure")
        ));
    }
    lines.push(match &summary.log {
        None => "the kernel's log: cannot be read".to_owned(),
        Some(log) => format!(
            "the kernel's log: {} reported, {} suppressed, {} with __GFP_NOWARN{}",
            log.reports,
            log.suppressed,
            summary.nowarn,
            if log.overflowed {
                "; it was overwritten before it was read"
            } else {
                ""
            }
        ),
    });
    if let Some(threshold) = summary.threshold {
        lines.push(format!(
            "threshold: {threshold}, {}",
            if summary.crossed {
                "crossed"
            } else {
                "not crossed"
            }
        ));
    }
    lines.extend(
        summary
            .cannot_see
            .iter()
            .map(|what| format!("not seen: {what}")),
    );
    lines
}

fn share(rows: &[Row]) -> String {
    const MOST: usize = 8;
    let mut parts: Vec<String> = rows
        .iter()
        .take(MOST)
        .map(|row| {
            let node = row.key.node.map(|node| node.to_string());
            format!(
                "{} {}",
                row.key
                    .process
                    .as_deref()
                    .or(node.as_deref())
                    .unwrap_or("?"),
                row.count
            )
        })
        .collect();

    if rows.len() > MOST {
        parts.push(format!("{} others", rows.len() - MOST));
    }
    parts.join(", ")
}

/// A column: its heading, and what it shows of a row.
type Column = (&'static str, fn(&Row) -> Option<String>);

const COLUMNS: [Column; 8] = [
    ("caller", |row| {
        row.key.caller.as_ref().map(ToString::to_string)
    }),
    ("context", |row| {
        row.key.context.map(|context| context.to_string())
    }),
    ("order", |row| row.key.order.map(|order| order.to_string())),
    ("flags", |row| row.key.flags.as_deref().map(str::to_owned)),
    ("process", |row| {
        row.key.process.as_deref().map(str::to_owned)
    }),
    ("node", |row| row.key.node.map(|node| node.to_string())),
    ("CPU", |row| row.key.cpu.map(|cpu| cpu.to_string())),
    ("remark", |row| match row.key.cause {
        Cause::Memory => None,
        Cause::Injected => Some("injected".to_owned()),
        Cause::Other => Some("not a request for pages".to_owned()),
    }),
];

/// Returns a table with those columns that any row has.
fn table(rows: &[Row]) -> String {
    let shown = &rows[..rows.len().min(ROWS)];
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|(_, of)| shown.iter().any(|row| of(row).is_some()))
        .collect();
    let mut table = Table::new();

    table.load_preset(presets::NOTHING);
    table.set_header(std::iter::once("failures").chain(columns.iter().map(|(name, _)| *name)));
    for row in shown {
        let cells = columns.iter().map(|(_, of)| of(row).unwrap_or_default());
        table.add_row(std::iter::once(row.count.to_string()).chain(cells));
    }
    if let Some(column) = table.column_mut(0) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn write_stack(out: &mut String, row: &Row) {
    let Some(stack) = &row.key.stack else { return };

    let _ = writeln!(
        out,
        "\n{} with this stack:",
        units::counted(row.count, "failure")
    );
    for frame in stack.iter() {
        let _ = writeln!(out, "    {frame}");
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::failures::{
        context::Context,
        document::{LogSummary, Summary},
        probe::Source,
        tally::{tests::failure, By, Tally},
    };

    #[test]
    fn a_summary_says_it_all() {
        let mut tally = Tally::new(&[By::Caller, By::Context, By::Order, By::Flags], false);
        let mut processes = Tally::new(&[By::Process], false);

        for context in [Context::Softirq, Context::Softirq, Context::Task] {
            tally.add(&failure("send", context));
            processes.add(&failure("send", context));
        }
        let summary = Summary {
            schema: "labyrinth/failures/1",
            source: Source::Kprobe,
            cannot_see: vec!["much".to_owned()],
            seconds: 12.34,
            failures: 5,
            injected: None,
            without_details: 2,
            nowarn: 1,
            other_warnings: 1,
            log: Some(LogSummary {
                reports: 1,
                suppressed: 3,
                overflowed: false,
            }),
            threshold: Some(4),
            crossed: true,
            rows: tally.rows(),
            by_process: processes.rows(),
            by_node: Vec::new(),
        };
        let expected = "5 failed page allocations in 12.3 s, seen by a kprobe on warn_alloc\n\n \
            failures  caller  context  order  flags\n        \
            2  send    softirq  0      GFP_ATOMIC\n        \
            1  send    task     0      GFP_ATOMIC\n\n\
            by process: swapper 3\n\
            without details: 2\n\
            not counted: 1 failure of vmalloc and others, which report in the same way\n\
            the kernel's log: 1 reported, 3 suppressed, 1 with __GFP_NOWARN\n\
            threshold: 4, crossed\n\
            not seen: much\n";

        assert_eq!(text(&summary, false), expected);
    }
}
