// SPDX-License-Identifier: GPL-2.0

//! `metrics`: everything as [OpenMetrics] text, in base units.
//!
//! [OpenMetrics]: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md

use crate::{
    exercise::Exercises,
    ffi::debugfs::Show,
    stats::{
        histogram,
        Context,
        SeriesView,
        View, //
    }, //
};
use kernel::{
    fmt,
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};

/// The file `metrics`.
pub(super) struct OpenMetrics;

impl Show<Exercises> for OpenMetrics {
    const SIZE: usize = 8 * kernel::page::PAGE_SIZE;

    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let stats = exercises.stats();
        let view = stats.view()?;

        allocations(&view, out);
        latencies(&view, out);
        quantiles(&view, out);

        let cycles = |series: &SeriesView| series.cycles();
        family(out, "exercise_cycles", "counter", "Cycles begun.");
        by_context(out, "exercise_cycles_total", |c| view.sum(c, cycles));

        let corruptions = |series: &SeriesView| series.corruptions();
        family(
            out,
            "exercise_corruptions",
            "counter",
            "Pages that did not hold what was written to them.",
        );
        by_context(out, "exercise_corruptions_total", |c| {
            view.sum(c, corruptions)
        });

        family(out, "exercise_running", "gauge", "1 while it runs.");
        by_context(out, "exercise_running", |c| exercises.running(c).into());

        family(
            out,
            "recording",
            "gauge",
            "1 while allocations are recorded.",
        );
        seq_print!(out, "labyrinth_recording {}\n", u8::from(stats.recording()));

        family(
            out,
            "clock_read_seconds",
            "gauge",
            "Cost of reading the clock; each latency contains about one read.",
        );
        seq_print!(out, "# UNIT labyrinth_clock_read_seconds seconds\n");
        seq_print!(
            out,
            "labyrinth_clock_read_seconds {}\n",
            Seconds(stats.clock_nanos())
        );
        seq_print!(out, "# EOF\n");
        Ok(())
    }
}

fn allocations(view: &View, out: &SeqFile) {
    family(out, "page_alloc", "counter", "Page allocations.");
    for series in view.series() {
        for (outcome, count) in [
            ("success", series.successes()),
            ("failure", series.failures()),
        ] {
            seq_print!(
                out,
                "labyrinth_page_alloc_total{{{},outcome=\"{outcome}\"}} {count}\n",
                Labels(series)
            );
        }
    }

    family(out, "page_free", "counter", "Pages freed.");
    by_context(out, "page_free_total", |c| view.sum(c, SeriesView::freed));

    family(
        out,
        "pages_in_flight",
        "gauge",
        "Pages allocated and not freed.",
    );
    seq_print!(out, "labyrinth_pages_in_flight {}\n", view.in_flight());
}

/// The histogram has an edge at every power of two nanoseconds ("less than"); as all values are
/// whole, that is "at most one nanosecond less", which is what `le` says.
fn latencies(view: &View, out: &SeqFile) {
    const NAME: &str = "labyrinth_page_alloc_latency_seconds";
    /// Few allocations take less than 2⁵ ns.
    const FIRST_LOG2: u32 = 5;

    family(
        out,
        "page_alloc_latency_seconds",
        "histogram",
        "Latency of page allocations, failed ones included.",
    );
    seq_print!(out, "# UNIT {NAME} seconds\n");
    for series in view.series() {
        let mut below = 0;
        let mut counts = series.latency().iter().enumerate().peekable();

        for log2 in FIRST_LOG2..=histogram::MAX_LOG2 {
            let edge = (1 << log2) - 1;
            while let Some((_, count)) = counts.next_if(|(i, _)| histogram::upper(*i) <= edge) {
                below += count;
            }
            seq_print!(
                out,
                "{NAME}_bucket{{{},le=\"{}\"}} {below}\n",
                Labels(series),
                Seconds(edge)
            );
        }
        seq_print!(
            out,
            "{NAME}_bucket{{{labels},le=\"+Inf\"}} {samples}\n\
             {NAME}_count{{{labels}}} {samples}\n{NAME}_sum{{{labels}}} {sum}\n",
            labels = Labels(series),
            samples = series.samples(),
            sum = Seconds(series.latency_sum())
        );
    }
}

/// What the histogram above cannot say, with the resolution of the full one: quantile 0 is the
/// exact minimum, 1 the exact maximum.
fn quantiles(view: &View, out: &SeqFile) {
    const NAME: &str = "labyrinth_page_alloc_latency_quantile_seconds";

    family(
        out,
        "page_alloc_latency_quantile_seconds",
        "gauge",
        "Quantiles of the latency, at most 1/16 too large; 0 and 1 are exact.",
    );
    seq_print!(out, "# UNIT {NAME} seconds\n");
    for series in view.series() {
        let percentile = |ten_thousandths| series.latency_percentile(ten_thousandths);
        for (quantile, nanos) in [
            ("0.0", series.latency_min()),
            ("0.5", percentile(5_000)),
            ("0.9", percentile(9_000)),
            ("0.99", percentile(9_900)),
            ("0.999", percentile(9_990)),
            ("1.0", series.latency_max()),
        ] {
            if let Some(nanos) = nanos {
                seq_print!(
                    out,
                    "{NAME}{{{},quantile=\"{quantile}\"}} {}\n",
                    Labels(series),
                    Seconds(nanos)
                );
            }
        }
    }
}

/// Writes the head of a metric family.
fn family(out: &SeqFile, name: &str, kind: &str, help: &str) {
    seq_print!(
        out,
        "# TYPE labyrinth_{name} {kind}\n# HELP labyrinth_{name} {help}\n"
    );
}

/// Writes one sample for each context.
fn by_context(out: &SeqFile, name: &str, value: impl Fn(Context) -> u64) {
    for context in Context::ALL {
        seq_print!(
            out,
            "labyrinth_{name}{{context=\"{}\"}} {}\n",
            context.name(),
            value(context)
        );
    }
}

/// The labels of a series.
struct Labels<'a>(&'a SeriesView);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.0.kind();
        write!(
            f,
            "context=\"{}\",gfp=\"{}\"",
            kind.context().name(),
            kind.gfp()
        )
    }
}

/// Nanoseconds, shown as seconds without loss.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NANOS: u64 = 1_000_000_000;
        write!(f, "{}.{:09}", self.0 / NANOS, self.0 % NANOS)
    }
}
