// SPDX-License-Identifier: GPL-2.0

//! `metrics`: everything as [OpenMetrics] text, in base units.
//!
//! [OpenMetrics]: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md

use crate::exercise::Exercises;
use kernel::{
    fmt::{
        self,
        Write, //
    },
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};
use labyrinth::{
    debugfs::Show,
    stats::{
        histogram,
        Family,
        Labels,
        Latencies,
        Registry,
        Report,
        Type,
        Value, //
    }, //
};

/// The file `metrics`.
pub(super) struct OpenMetrics;

impl Show<Exercises> for OpenMetrics {
    const SIZE: usize = 32 * kernel::page::PAGE_SIZE;

    fn show(_exercises: &Exercises, out: &SeqFile) -> Result {
        Registry::current()?.report(&mut Text(out))?;
        seq_print!(out, "# EOF\n");
        Ok(())
    }
}

/// Writes the text.
struct Text<'a>(&'a SeqFile);

impl Report for Text<'_> {
    fn family(&mut self, family: &Family<'_>) {
        let (out, head) = (self.0, family.head());
        let kind = match head.kind() {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram { .. } => "histogram",
        };
        seq_print!(
            out,
            "# TYPE {family} {kind}\n# HELP {family} {}\n",
            Escaped(head.help())
        );
        if head.is_nanos() {
            seq_print!(out, "# UNIT {family} seconds\n");
        }
    }

    fn sample(&mut self, family: &Family<'_>, labels: &Labels<'_>, value: Value<'_>) {
        let (out, head) = (self.0, family.head());
        let suffix = match head.kind() {
            Type::Counter => "_total",
            _ => "",
        };
        let set = Set(labels, Edge::None);
        match (value, head.kind()) {
            (Value::Number(nanos), _) if head.is_nanos() => {
                seq_print!(out, "{family}{suffix}{set} {}\n", Seconds(nanos));
            }
            (Value::Number(number), _) => seq_print!(out, "{family}{suffix}{set} {number}\n"),
            (Value::Latencies(latencies), Type::Histogram { step }) => {
                histogram_of(out, family, labels, latencies, step);
            }
            _ => {}
        }
    }
}

/// The first edge, as a power of two. Few allocations take less than 2⁵ ns.
const FIRST_LOG2: u32 = 5;

/// Writes a histogram with an edge at each power of two nanoseconds, or at each `step`-th. Buckets
/// count latencies *below* a power of two. `le` means "at most", so the label is one nanosecond
/// less.
fn histogram_of(
    out: &SeqFile,
    family: &Family<'_>,
    labels: &Labels<'_>,
    latencies: &Latencies,
    step: usize,
) {
    let mut below = 0;
    let mut counts = latencies.latency().iter().enumerate().peekable();

    for log2 in (FIRST_LOG2..=histogram::MAX_LOG2).step_by(step) {
        let edge = (1 << log2) - 1;
        while let Some((_, count)) = counts.next_if(|(i, _)| histogram::upper(*i) <= edge) {
            below += count;
        }
        let set = Set(labels, Edge::Nanos(edge));
        seq_print!(out, "{family}_bucket{set} {below}\n");
    }
    let all = Set(labels, Edge::Infinite);
    let set = Set(labels, Edge::None);
    seq_print!(
        out,
        "{family}_bucket{all} {samples}\n{family}_count{set} {samples}\n{family}_sum{set} {sum}\n",
        samples = latencies.samples(),
        sum = Seconds(latencies.latency_sum())
    );
}

/// The labels of a sample, in braces. A sample without labels has no braces.
struct Set<'a>(&'a Labels<'a>, Edge);

/// The label of a bucket.
enum Edge {
    /// The sample is not a bucket.
    None,
    /// The largest latency in the bucket, in nanoseconds.
    Nanos(u64),
    /// The last bucket has no edge.
    Infinite,
}

impl fmt::Display for Set<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = '{';
        for (name, value) in self.0.iter() {
            f.write_fmt(fmt!("{before}{name}=\"{}\"", Escaped(value)))?;
            before = ',';
        }
        match self.1 {
            Edge::None if before == '{' => Ok(()),
            Edge::None => f.write_char('}'),
            Edge::Nanos(nanos) => f.write_fmt(fmt!("{before}le=\"{}\"}}", Seconds(nanos))),
            Edge::Infinite => f.write_fmt(fmt!("{before}le=\"+Inf\"}}")),
        }
    }
}

/// A text with escapes, as OpenMetrics wants help texts and values of labels.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            other => f.write_char(other),
        })
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
