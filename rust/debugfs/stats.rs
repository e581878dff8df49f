// SPDX-License-Identifier: GPL-2.0

//! `stats`: a table for people.

use crate::{
    exercise::Exercises,
    ffi::debugfs::Show,
    page::sentinel,
    stats::{
        Latencies,
        View, //
    }, //
};
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};

/// The file `stats`.
pub(super) struct Table;

impl Show<Exercises> for Table {
    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let stats = exercises.stats();
        let view = stats.view()?;
        let recording = stats.recording().name();

        seq_print!(
            out,
            "order-0 page allocations; latencies in ns, each with one clock read of {} ns in it\n",
            stats.clock_nanos()
        );
        seq_print!(
            out,
            "recording {recording}, pages in flight {}\n\n",
            view.in_flight()
        );
        seq_print!(
            out,
            "{:<14}{:<11}{:>4}{:>12}{:>12}{:>9}{:>12}{:>10}",
            "context",
            "gfp",
            "run",
            "success",
            "failure",
            "rate %",
            "freed",
            "in flight"
        );
        latency_heads(out);

        for series in view.series() {
            let kind = series.kind();
            let (success, failure) = (series.successes(), series.failures());

            seq_print!(
                out,
                "{:<14}{:<11}{:>4}{:>12}{:>12}",
                kind.context().name(),
                kind.gfp(),
                u8::from(exercises.running(kind.context())),
                success,
                failure
            );
            match rate(success, failure) {
                Some((whole, fraction)) => seq_print!(out, "{whole:>5}.{fraction:03}"),
                None => seq_print!(out, "{:>9}", "-"),
            }
            seq_print!(out, "{:>12}{:>10}", series.freed(), series.in_flight());
            latency_cells(out, series);
        }
        seq_print!(
            out,
            "\ndamaged guards {}, bytes in them {}, policy {}\n",
            sentinel::total(),
            sentinel::bytes(),
            sentinel::policy().name()
        );
        if let Some(last) = sentinel::recent()?.last() {
            seq_print!(out, "last: {last}\n");
        }
        handovers(&view, out);
        Ok(())
    }
}

/// The hand-overs that there were.
fn handovers(view: &View, out: &SeqFile) {
    let mut one = None;

    for handovers in view.handovers() {
        let (success, failure) = (handovers.successes(), handovers.failures());
        if success == 0 && failure == 0 {
            continue;
        }
        if one.replace(()).is_none() {
            seq_print!(
                out,
                "\n{:<25}{:>16}{:>12}",
                "hand-over",
                "success",
                "failure"
            );
            latency_heads(out);
        }
        let name = handovers.kind().name();
        seq_print!(out, "{name:<25}{success:>16}{failure:>12}");
        latency_cells(out, handovers);
    }
    if one.is_none() {
        seq_print!(out, "\nno hand-overs\n");
    }
}

/// Ends the first line of a table with latencies.
fn latency_heads(out: &SeqFile) {
    seq_print!(
        out,
        "{:>9}{:>9}{:>9}{:>9}{:>9}{:>11}\n",
        "min",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "max"
    );
}

/// Ends a line with its latencies.
fn latency_cells(out: &SeqFile, latencies: &Latencies) {
    let percentile = |ten_thousandths| latencies.latency_percentile(ten_thousandths);
    for nanos in [
        latencies.latency_min(),
        percentile(5_000),
        percentile(9_000),
        percentile(9_900),
        percentile(9_990),
    ] {
        cell(out, nanos, 9);
    }
    cell(out, latencies.latency_max(), 11);
    seq_print!(out, "\n");
}

/// Writes a value, or a dash where there is none.
fn cell(out: &SeqFile, value: Option<u64>, width: usize) {
    match value {
        Some(value) => seq_print!(out, "{value:>width$}"),
        None => seq_print!(out, "{:>width$}", "-"),
    }
}

/// The success rate in per cent and thousandths of it, rounded down: 100 means no failure at all.
fn rate(success: u64, failure: u64) -> Option<(u64, u64)> {
    const WHOLE: u64 = 100_000;

    let total = success + failure;
    let thousandths = match success.checked_mul(WHOLE) {
        Some(scaled) => scaled.checked_div(total)?,
        None => success.checked_div(total / WHOLE)?,
    };
    Some((thousandths / 1000, thousandths % 1000))
}
