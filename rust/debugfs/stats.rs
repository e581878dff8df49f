// SPDX-License-Identifier: GPL-2.0

//! `stats`: a table for people.

use super::columns::{
    Left,
    Number,
    Rate,
    Right, //
};
use crate::exercise::Exercises;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};
use labyrinth::{
    debugfs::Show,
    sentinel,
    stats::{
        Latencies,
        Registry,
        Snapshot, //
    }, //
};

/// The file `stats`.
pub(super) struct Table;

impl Show<Exercises> for Table {
    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let stats = exercises.stats();
        let snapshot = stats.snapshot()?;
        let recording = stats.recording().name();
        let registry = Registry::current()?;

        seq_print!(
            out,
            "order-0 page allocations; latencies in ns, each with one clock read of {} ns in it\n",
            stats.clock_nanos()
        );
        seq_print!(
            out,
            "recording {recording}, pages in flight {}\n\n",
            snapshot.in_flight()
        );
        seq_print!(
            out,
            "{}{}{}{}{}{}{}{}",
            Left("context", 14),
            Left("gfp", 11),
            Right("run", 4),
            Right("success", 12),
            Right("failure", 12),
            Right("rate %", 9),
            Right("freed", 12),
            Right("in flight", 10)
        );
        latency_heads(out);

        for series in snapshot.series() {
            let kind = series.kind();
            let (success, failure) = (series.successes(), series.failures());

            seq_print!(
                out,
                "{}{}{}{}{}{}{}{}",
                Left(kind.context, 14),
                Left(kind.gfp, 11),
                Number(Some(exercises.running(kind.context).into()), 4),
                Number(Some(success), 12),
                Number(Some(failure), 12),
                Rate {
                    success,
                    failure,
                    width: 9
                },
                Number(Some(series.freed()), 12),
                Number(Some(series.in_flight()), 10)
            );
            latency_cells(out, series);
        }
        seq_print!(
            out,
            "\ndamaged guards {}, bytes in them {}, policy {}\n",
            registry.total("guard_corruptions")?,
            registry.total("guard_corruption_bytes")?,
            sentinel::policy().name()
        );
        if let Some(last) = sentinel::recent()?.last() {
            seq_print!(out, "last: {last}\n");
        }
        transfers(&snapshot, out);
        Ok(())
    }
}

/// Writes the table of transfers, without the kinds that never happened.
fn transfers(snapshot: &Snapshot, out: &SeqFile) {
    let mut one = None;

    for transfers in snapshot.transfers() {
        let (success, failure) = (transfers.successes(), transfers.failures());
        if success == 0 && failure == 0 {
            continue;
        }
        if one.replace(()).is_none() {
            seq_print!(
                out,
                "\n{}{}{}",
                Left("transfer", 25),
                Right("success", 16),
                Right("failure", 12)
            );
            latency_heads(out);
        }
        seq_print!(
            out,
            "{}{}{}",
            Left(transfers.name(), 25),
            Number(Some(success), 16),
            Number(Some(failure), 12)
        );
        latency_cells(out, transfers);
    }
    if one.is_none() {
        seq_print!(out, "\nno transfers\n");
    }
}

/// Ends the first line of a table with the columns of latencies.
fn latency_heads(out: &SeqFile) {
    for head in ["min", "p50", "p90", "p99", "p99.9"] {
        seq_print!(out, "{}", Right(head, 9));
    }
    seq_print!(out, "{}\n", Right("max", 11));
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
        seq_print!(out, "{}", Number(nanos, 9));
    }
    seq_print!(out, "{}\n", Number(latencies.latency_max(), 11));
}
