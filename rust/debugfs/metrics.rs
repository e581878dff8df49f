// SPDX-License-Identifier: GPL-2.0

//! `metrics`: everything as [OpenMetrics] text, in base units.
//!
//! [OpenMetrics]: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md

use crate::{
    device,
    exercise::Exercises, //
};
use kernel::{
    fmt,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::Arc, //
};
use labyrinth::{
    capi::Misuse,
    context::Kind,
    debugfs::Show,
    pool::{
        Pool,
        Tier, //
    },
    sentinel::{
        self,
        Occasion, //
    },
    stats::{
        histogram,
        Context,
        Latencies,
        SeriesSnapshot,
        Snapshot,
        Transfer, //
    }, //
};

/// The file `metrics`.
pub(super) struct OpenMetrics;

impl Show<Exercises> for OpenMetrics {
    const SIZE: usize = 32 * kernel::page::PAGE_SIZE;

    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let stats = exercises.stats();
        let snapshot = stats.snapshot()?;

        allocations(&snapshot, out);
        latencies(&snapshot, out);
        quantiles(&snapshot, out);
        source_latencies(&snapshot, out);
        transfers(&snapshot, out);
        pools(&exercises.manager().pools()?, out);

        let cycles = |series: &SeriesSnapshot| series.cycles();
        family(out, "exercise_cycles", "counter", "Cycles begun.");
        by_context(out, "exercise_cycles_total", |c| snapshot.sum(c, cycles));

        let corruptions = |series: &SeriesSnapshot| series.corruptions();
        family(
            out,
            "exercise_corruptions",
            "counter",
            "Pages that did not hold what was written to them.",
        );
        by_context(out, "exercise_corruptions_total", |c| {
            snapshot.sum(c, corruptions)
        });

        guards(out);

        family(
            out,
            "misuse",
            "counter",
            "What C modules did wrong, since the module was loaded.",
        );
        for misuse in Misuse::ALL {
            seq_print!(
                out,
                "labyrinth_misuse_total{{kind=\"{}\"}} {}\n",
                misuse.name(),
                misuse.count()
            );
        }

        family(
            out,
            "user_pages",
            "gauge",
            "Pages that processes have mapped by /dev/labyrinth.",
        );
        seq_print!(out, "labyrinth_user_pages {}\n", device::mapped());
        family(
            out,
            "user_pages_limit",
            "gauge",
            "Pages that they may have mapped at a time.",
        );
        seq_print!(out, "labyrinth_user_pages_limit {}\n", device::limit());

        family(out, "exercise_running", "gauge", "1 while it runs.");
        by_context(out, "exercise_running", |c| exercises.running(c).into());

        family(
            out,
            "recording",
            "gauge",
            "1 while allocations are recorded, 2 while only their outcomes are.",
        );
        seq_print!(out, "labyrinth_recording {}\n", stats.recording() as u8);

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

fn guards(out: &SeqFile) {
    family(
        out,
        "guard_corruptions",
        "counter",
        "Damaged guards, since the module was loaded, by when it was noticed and where their holder \
         got the pages.",
    );
    for noticed in Occasion::ALL {
        for holder in Kind::ALL {
            seq_print!(
                out,
                "labyrinth_guard_corruptions_total{{noticed=\"{}\",context=\"{}\"}} {}\n",
                noticed.name(),
                holder.name(),
                sentinel::found(noticed, holder)
            );
        }
    }
    family(
        out,
        "guard_corruption_bytes",
        "counter",
        "Wrong bytes in them.",
    );
    seq_print!(
        out,
        "labyrinth_guard_corruption_bytes_total {}\n",
        sentinel::bytes()
    );
    family(
        out,
        "sentinel",
        "gauge",
        "What is done about them: 0 counted, 1 a warning, 2 a panic.",
    );
    seq_print!(out, "labyrinth_sentinel {}\n", sentinel::policy() as u8);
}

fn allocations(snapshot: &Snapshot, out: &SeqFile) {
    family(out, "page_alloc", "counter", "Page allocations.");
    for series in snapshot.series() {
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
    by_context(out, "page_free_total", |c| {
        snapshot.sum(c, SeriesSnapshot::freed)
    });

    family(
        out,
        "pages_in_flight",
        "gauge",
        "Pages allocated and not freed.",
    );
    seq_print!(out, "labyrinth_pages_in_flight {}\n", snapshot.in_flight());
}

/// What the pools did, by context and tier. They are the same ones in all families, though pools
/// come and go meanwhile.
fn pools(pools: &[Arc<Pool>], out: &SeqFile) {
    family(
        out,
        "pool_requests",
        "counter",
        "Requests that a tier of a pool was asked for.",
    );
    for pool in pools {
        let name = PoolName(pool);
        for context in Kind::ALL {
            for tier in Tier::ALL {
                let hits = pool.served(context, tier);
                let misses = pool.counts().missed(context, tier);
                for (outcome, count) in [("hit", hits), ("miss", misses)] {
                    seq_print!(
                        out,
                        "labyrinth_pool_requests_total{{{name},context=\"{}\",tier=\"{}\",\
                         outcome=\"{outcome}\"}} {count}\n",
                        context.name(),
                        tier.name()
                    );
                }
            }
        }
    }

    family(
        out,
        "pool_failures",
        "counter",
        "Requests that no tier of a pool could serve.",
    );
    each_context(pools, out, "pool_failures_total", |pool, context| {
        pool.counts().failed(context)
    });
    family(
        out,
        "pool_recycle_cached",
        "counter",
        "Pages that came back to a per-CPU cache.",
    );
    each_context(pools, out, "pool_recycle_cached_total", |pool, context| {
        pool.kept(context, Tier::Cache)
    });
    family(
        out,
        "pool_recycle_reserve",
        "counter",
        "Pages that came back to a reserve, the cache being full.",
    );
    each_context(pools, out, "pool_recycle_reserve_total", |pool, context| {
        pool.kept(context, Tier::Reserve)
    });
    family(
        out,
        "pool_released",
        "counter",
        "Pages that went back to the allocator, cache and reserve being full.",
    );
    each_context(pools, out, "pool_released_total", |pool, context| {
        pool.counts().released(context)
    });

    for (name, kind, help, value) in POOL_NUMBERS {
        family(out, name, kind, help);
        let suffix = if kind == "counter" { "_total" } else { "" };
        for pool in pools {
            let count = value(pool);
            seq_print!(
                out,
                "labyrinth_{name}{suffix}{{{}}} {count}\n",
                PoolName(pool)
            );
        }
    }
}

/// Numbers of a pool as a whole: name, kind, help, value.
type PoolNumber = (&'static str, &'static str, &'static str, fn(&Pool) -> u64);
const POOL_NUMBERS: [PoolNumber; 12] = [
    (
        "pool_cache_refill_pages",
        "counter",
        "Pages filled into per-CPU caches ahead of requests.",
        |pool| pool.cache().counts().map(|(_, c)| c.refilled()).sum(),
    ),
    (
        "pool_cache_drain_pages",
        "counter",
        "Pages taken out of per-CPU caches: by the shrinker, of a dead CPU, or as bad memory.",
        |pool| pool.cache().counts().map(|(_, c)| c.drained()).sum(),
    ),
    (
        "pool_reserve_refill_pages",
        "counter",
        "Pages filled into the reserve ahead of requests.",
        |pool| pool.counts().filled(Tier::Reserve),
    ),
    (
        "pool_reserve_drain_pages",
        "counter",
        "Pages taken out of the reserve because they are bad.",
        |pool| pool.reserve().drained(),
    ),
    (
        "pool_poisoned",
        "counter",
        "Pages taken out of circulation because some of their memory had gone bad.",
        |pool| pool.poisoned() as u64,
    ),
    (
        "pool_emergency_pages",
        "counter",
        "Allocations that left their zone below its min watermark.",
        |pool| pool.emergency().taken(),
    ),
    (
        "pool_excluded_pages",
        "counter",
        "Pages that were not let in, as their memory is excluded.",
        Pool::excluded_met,
    ),
    (
        "pool_emergency_budget",
        "gauge",
        "Such allocations that are allowed before the reserve is full again.",
        |pool| pool.emergency().budget().into(),
    ),
    (
        "pool_cached",
        "gauge",
        "Pages in the per-CPU caches.",
        |pool| pool.cache().level(),
    ),
    ("pool_reserved", "gauge", "Pages in the reserve.", |pool| {
        pool.reserve().level() as u64
    }),
    (
        "pool_returning",
        "gauge",
        "Pages given back in hard interrupts that wait to be freed.",
        |pool| pool.returning() as u64,
    ),
    (
        "pool_reserve_target",
        "gauge",
        "Pages that the reserve should hold.",
        |pool| pool.reserve().target().pages() as u64,
    ),
];

/// Writes one sample for each pool and context.
fn each_context(
    pools: &[Arc<Pool>],
    out: &SeqFile,
    name: &str,
    value: impl Fn(&Pool, Kind) -> u64,
) {
    for pool in pools {
        for context in Kind::ALL {
            seq_print!(
                out,
                "labyrinth_{name}{{{},context=\"{}\"}} {}\n",
                PoolName(pool),
                context.name(),
                value(pool, context)
            );
        }
    }
}

/// The label of a pool. Its name was checked to need no escapes.
struct PoolName<'a>(&'a Pool);

impl fmt::Display for PoolName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.name().to_str().map_err(|_| fmt::Error)?;
        write!(f, "pool=\"{name}\"")
    }
}

/// The histogram has an edge at every power of two nanoseconds ("less than"); as all values are
/// whole, that is "at most one nanosecond less", which is what `le` says.
fn latencies(snapshot: &Snapshot, out: &SeqFile) {
    const NAME: &str = "labyrinth_page_alloc_latency_seconds";

    family(
        out,
        "page_alloc_latency_seconds",
        "histogram",
        "Latency of page allocations, failed ones included.",
    );
    seq_print!(out, "# UNIT {NAME} seconds\n");
    for series in snapshot.series() {
        histogram_of(out, NAME, &Labels(series), series, 1);
    }
}

/// The same latencies by the tier that was asked last.
fn source_latencies(snapshot: &Snapshot, out: &SeqFile) {
    const NAME: &str = "labyrinth_page_alloc_tier_latency_seconds";

    family(
        out,
        "page_alloc_tier_latency_seconds",
        "histogram",
        "Latency of page allocations by the tier that was asked last.",
    );
    seq_print!(out, "# UNIT {NAME} seconds\n");
    for (tier, latencies) in Tier::ALL.into_iter().zip(snapshot.sources()) {
        histogram_of(out, NAME, &TierLabel(tier), latencies, 1);
    }
}

/// `step` is the distance of one edge to the next, in powers of two; at least 1.
fn histogram_of(
    out: &SeqFile,
    name: &str,
    labels: &dyn fmt::Display,
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
        seq_print!(
            out,
            "{name}_bucket{{{labels},le=\"{}\"}} {below}\n",
            Seconds(edge)
        );
    }
    seq_print!(
        out,
        "{name}_bucket{{{labels},le=\"+Inf\"}} {samples}\n\
         {name}_count{{{labels}}} {samples}\n{name}_sum{{{labels}}} {sum}\n",
        samples = latencies.samples(),
        sum = Seconds(latencies.latency_sum())
    );
}

/// The label of a tier.
struct TierLabel(Tier);

impl fmt::Display for TierLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tier=\"{}\"", self.0.name())
    }
}

/// Few allocations take less than 2⁵ ns.
const FIRST_LOG2: u32 = 5;

/// What the histogram above cannot say, with the resolution of the full one: quantile 0 is the
/// exact minimum, 1 the exact maximum.
fn quantiles(snapshot: &Snapshot, out: &SeqFile) {
    const NAME: &str = "labyrinth_page_alloc_latency_quantile_seconds";

    family(
        out,
        "page_alloc_latency_quantile_seconds",
        "gauge",
        "Quantiles of the latency, at most 1/16 too large; 0 and 1 are exact.",
    );
    seq_print!(out, "# UNIT {NAME} seconds\n");
    for series in snapshot.series() {
        quantiles_of(out, NAME, &Labels(series), series);
    }
}

fn quantiles_of(out: &SeqFile, name: &str, labels: &dyn fmt::Display, latencies: &Latencies) {
    let percentile = |ten_thousandths| latencies.latency_percentile(ten_thousandths);
    for (quantile, nanos) in [
        ("0.0", latencies.latency_min()),
        ("0.5", percentile(5_000)),
        ("0.9", percentile(9_000)),
        ("0.99", percentile(9_900)),
        ("0.999", percentile(9_990)),
        ("1.0", latencies.latency_max()),
    ] {
        if let Some(nanos) = nanos {
            seq_print!(
                out,
                "{name}{{{labels},quantile=\"{quantile}\"}} {}\n",
                Seconds(nanos)
            );
        }
    }
}

/// Transfers by kind. Their histograms have every other edge of those of allocations: there are
/// more of them, and they differ by more.
fn transfers(snapshot: &Snapshot, out: &SeqFile) {
    const LATENCY: &str = "labyrinth_transfer_latency_seconds";
    const QUANTILE: &str = "labyrinth_transfer_latency_quantile_seconds";

    family(
        out,
        "transfer",
        "counter",
        "Transfers of pages from one holder to another.",
    );
    for transfers in snapshot.transfers() {
        let label = TransferLabel(transfers.kind());
        for (outcome, count) in [
            ("success", transfers.successes()),
            ("failure", transfers.failures()),
        ] {
            seq_print!(
                out,
                "labyrinth_transfer_total{{{label},outcome=\"{outcome}\"}} {count}\n"
            );
        }
    }

    family(
        out,
        "transfer_latency_seconds",
        "histogram",
        "Latency of transfers, failed ones included.",
    );
    seq_print!(out, "# UNIT {LATENCY} seconds\n");
    for transfers in snapshot.transfers() {
        let label = TransferLabel(transfers.kind());
        histogram_of(out, LATENCY, &label, transfers, 2);
    }

    family(
        out,
        "transfer_latency_quantile_seconds",
        "gauge",
        "Quantiles of the latency, at most 1/16 too large; 0 and 1 are exact.",
    );
    seq_print!(out, "# UNIT {QUANTILE} seconds\n");
    for transfers in snapshot.transfers() {
        let label = TransferLabel(transfers.kind());
        quantiles_of(out, QUANTILE, &label, transfers);
    }
}

/// The label of a kind of transfer.
struct TransferLabel(Transfer);

impl fmt::Display for TransferLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transfer=\"{}\"", self.0.name())
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
struct Labels<'a>(&'a SeriesSnapshot);

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
