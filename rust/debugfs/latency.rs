// SPDX-License-Identifier: GPL-2.0

//! `latency`: the histograms, with bars for people.

use crate::exercise::Exercises;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};
use labyrinth::{
    debugfs::Show,
    pool::Tier,
    stats::{
        histogram,
        Latencies, //
    }, //
};

/// The file `latency`.
pub(super) struct Histograms;

impl Show<Exercises> for Histograms {
    const SIZE: usize = 8 * kernel::page::PAGE_SIZE;

    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let snapshot = exercises.stats().snapshot()?;

        seq_print!(
            out,
            "latencies (ns) of page allocations and transfers; columns: from, to (inclusive), count\n"
        );
        for series in snapshot.series() {
            let kind = series.kind();
            seq_print!(out, "\n{} {}", kind.context, kind.gfp);
            show_latencies(series, "allocations", out);
        }
        for (tier, latencies) in Tier::ALL.into_iter().zip(snapshot.sources()) {
            seq_print!(out, "\nlast asked: {}", tier.name());
            show_latencies(latencies, "allocations", out);
        }
        for transfers in snapshot.transfers() {
            if transfers.samples() != 0 {
                seq_print!(out, "\n{}", transfers.name());
                show_latencies(transfers, "transfers", out);
            }
        }
        Ok(())
    }
}

fn show_latencies(series: &Latencies, of_what: &str, out: &SeqFile) {
    let samples = series.samples();
    let most = series.latency().iter().copied().max().unwrap_or(0);

    seq_print!(
        out,
        ": {samples} {of_what}, sum {} ns",
        series.latency_sum()
    );
    if let (Some(min), Some(max)) = (series.latency_min(), series.latency_max()) {
        seq_print!(out, ", min {min} ns, max {max} ns");
    }
    seq_print!(out, "\n");

    for (i, &count) in series.latency().iter().enumerate() {
        if count == 0 {
            continue;
        }
        // The last bucket has no upper edge, so the maximum takes its place.
        let upper = histogram::upper(i).min(series.latency_max().unwrap_or(u64::MAX));
        seq_print!(
            out,
            "{:>11} {upper:>11} {count:>12} {}\n",
            histogram::lower(i),
            bar(count, most)
        );
    }
}

/// Returns a bar of at most 40 characters. It has at least one character if the count is not zero.
fn bar(count: u64, most: u64) -> &'static str {
    const FULL: &str = "########################################";

    let length = count
        .saturating_mul(FULL.len() as u64)
        .div_ceil(most.max(1));
    &FULL[..FULL.len().min(length as usize)]
}
