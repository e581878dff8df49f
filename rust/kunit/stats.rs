// SPDX-License-Identifier: GPL-2.0

//! Tests of the arithmetic of counters and resets.

use crate::{
    ffi::percpu::counters::CpuCounters,
    page::Transfer,
    stats::{
        Event,
        Kind,
        Recorder,
        Recording,
        SeriesSnapshot,
        Stats,
        SOURCES, //
    }, //
};
use kernel::prelude::*;

/// Records a transfer.
fn transfer(stats: &Stats, success: bool) {
    let begun = stats.transfer_begins();
    stats.transfer_done(Transfer::Vmap as usize, begun, success);
}

#[kunit_tests(labyrinth_stats)]
mod tests {
    use super::*;

    const ATOMIC: Kind = Kind {
        context: "task",
        gfp: "GFP_ATOMIC",
    };
    const KERNEL: Kind = Kind {
        context: "task",
        gfp: "GFP_KERNEL",
    };
    const OTHER: Kind = Kind {
        context: "other",
        gfp: "GFP_ATOMIC",
    };
    const ALL: [Kind; 3] = [ATOMIC, KERNEL, OTHER];

    #[test]
    fn outcomes_are_counted_in_their_series() -> Result {
        let stats = Stats::new(Recording::Full, &ALL, Transfer::KINDS)?;
        let recorder = Recorder::new(stats.clone(), ATOMIC)?;

        assert!(recorder.request().done(true, 0));
        assert!(!recorder.request().done(false, 3));
        assert!(!recorder.request().done(false, 3));
        recorder.count(Event::Cycle, 1);

        let snapshot = stats.snapshot()?;
        for series in snapshot.series() {
            let here = u64::from(series.kind() == ATOMIC);
            assert_eq!(series.successes(), here);
            assert_eq!(series.failures(), 2 * here);
            assert_eq!(series.samples(), 3 * here);
            assert_eq!(series.cycles(), here);
            assert_eq!(series.latency_min().is_some(), here == 1);
        }
        assert_eq!(snapshot.in_flight(), 1);
        assert_eq!(snapshot.sum("task", |series| series.successes()), 1);
        assert_eq!(snapshot.sum("other", |series| series.successes()), 0);
        Ok(())
    }

    #[test]
    fn series_are_found_by_both_labels() -> Result {
        let stats = Stats::new(Recording::Full, &ALL, Transfer::KINDS)?;
        for (number, labels) in ALL.into_iter().enumerate() {
            assert_eq!(Recorder::new(stats.clone(), labels)?.number(), number);
        }
        let unknown = Kind {
            context: "other",
            gfp: "GFP_KERNEL",
        };
        assert_eq!(Recorder::new(stats, unknown).err(), Some(ENOENT));
        Ok(())
    }

    #[test]
    fn reset_keeps_pages_in_flight() -> Result {
        let stats = Stats::new(Recording::Full, &ALL, Transfer::KINDS)?;
        let recorder = Recorder::new(stats.clone(), OTHER)?;

        for _ in 0..5 {
            assert!(recorder.request().done(true, 0));
        }
        recorder.freed(2);
        stats.reset()?;

        let snapshot = stats.snapshot()?;
        assert_eq!(snapshot.in_flight(), 3);
        assert_eq!(snapshot.sum("other", |series| series.successes()), 3);
        assert_eq!(snapshot.sum("other", SeriesSnapshot::freed), 0);
        assert_eq!(snapshot.sum("other", |series| series.samples()), 0);

        recorder.freed(3);
        let snapshot = stats.snapshot()?;
        assert_eq!(snapshot.in_flight(), 0);
        assert_eq!(snapshot.sum("other", SeriesSnapshot::freed), 3);

        // A second reset must start from the true counts, not from those of the first.
        stats.reset()?;
        let snapshot = stats.snapshot()?;
        assert_eq!(snapshot.sum("other", |series| series.successes()), 0);
        assert_eq!(snapshot.in_flight(), 0);
        Ok(())
    }

    #[test]
    fn pages_counted_before_recording_ends_are_counted_when_freed() -> Result {
        let stats = Stats::new(Recording::Full, &ALL, Transfer::KINDS)?;
        let recorder = Recorder::new(stats.clone(), OTHER)?;

        assert!(recorder.request().done(true, 0));
        stats.set_recording(Recording::Off);
        assert!(!recorder.request().done(true, 0));
        recorder.count(Event::Cycle, 1);
        recorder.freed(1);

        let snapshot = stats.snapshot()?;
        assert_eq!(snapshot.in_flight(), 0);
        assert_eq!(snapshot.sum("other", |series| series.successes()), 1);
        assert_eq!(snapshot.sum("other", SeriesSnapshot::freed), 1);
        assert_eq!(snapshot.sum("other", SeriesSnapshot::cycles), 0);
        Ok(())
    }

    #[test]
    fn counters_have_no_latencies() -> Result {
        let stats = Stats::new(Recording::Counters, &ALL, Transfer::KINDS)?;
        let recorder = Recorder::new(stats.clone(), KERNEL)?;

        assert!(recorder.request().done(true, 1));
        assert!(!recorder.request().done(false, 1));
        recorder.freed(1);

        let snapshot = stats.snapshot()?;
        assert_eq!(snapshot.in_flight(), 0);
        assert_eq!(snapshot.sum("task", |series| series.successes()), 1);
        assert_eq!(snapshot.sum("task", |series| series.failures()), 1);
        assert_eq!(snapshot.sum("task", |series| series.samples()), 0);
        Ok(())
    }

    #[test]
    fn transfers_are_counted_by_kind() -> Result {
        let stats = Stats::new(Recording::Full, &ALL, Transfer::KINDS)?;
        for success in [true, false, false] {
            transfer(&stats, success);
        }
        for transfers in stats.snapshot()?.transfers() {
            let here = u64::from(transfers.name() == "vmap");
            assert_eq!(transfers.successes(), here);
            assert_eq!(transfers.failures(), 2 * here);
            assert_eq!(transfers.samples(), 3 * here);
            assert_eq!(transfers.latency_min().is_some(), here == 1);
        }

        stats.set_recording(Recording::Counters);
        transfer(&stats, true);
        stats.set_recording(Recording::Off);
        transfer(&stats, true);
        let snapshot = stats.snapshot()?;
        let transfers = &snapshot.transfers()[Transfer::Vmap as usize];
        assert_eq!((transfers.successes(), transfers.samples()), (2, 3));

        stats.reset()?;
        for transfers in stats.snapshot()?.transfers() {
            assert_eq!(transfers.successes() + transfers.failures(), 0);
            assert_eq!(transfers.samples() + transfers.latency_sum(), 0);
            assert!(transfers.latency_max().is_none());
        }
        Ok(())
    }

    #[test]
    fn extremes_are_those_since_the_reset() -> Result {
        let stats = Stats::new(Recording::Full, &ALL, Transfer::KINDS)?;
        let recorder = Recorder::new(stats.clone(), OTHER)?;
        // Twice, so that both sets of counters are used.
        for _ in 0..4 {
            let slow = recorder.request();
            kernel::time::delay::fsleep(kernel::time::Delta::from_millis(2));
            slow.done(false, 0);
            recorder.request().done(false, 1);
            let snapshot = stats.snapshot()?;
            let series = &snapshot.series()[2];
            assert_eq!(series.samples(), 2);
            let (min, max) = (series.latency_min(), series.latency_max());
            assert!(max >= Some(2_000_000));
            assert!(min < max && min.is_some());
            assert_eq!(series.latency_percentile(10_000), max);
            stats.reset()?;
            let snapshot = stats.snapshot()?;
            let series = &snapshot.series()[2];
            assert_eq!(series.samples() + series.latency_sum(), 0);
            assert!(series.latency_min().is_none() && series.latency_max().is_none());
        }
        Ok(())
    }

    #[test]
    fn windows_of_any_number() -> Result {
        // Five windows, because that is not a power of two.
        let counters = CpuCounters::<23>::new()?;
        for number in 0..10 {
            counters.all().window::<7, 4>(number).add_at::<3>(1);
        }
        for index in 0..23 {
            let wanted = if index % 4 == 3 && index < 20 { 2 } else { 0 };
            assert_eq!(counters.sum(index), wanted);
        }
        Ok(())
    }

    #[test]
    fn sources_and_series_share_latencies() -> Result {
        let stats = Stats::new(Recording::Full, &ALL, Transfer::KINDS)?;

        for (series, kind) in ALL.into_iter().enumerate() {
            let recorder = Recorder::new(stats.clone(), kind)?;
            for source in 0..SOURCES {
                for _ in 0..10 * series + source {
                    recorder.request().done(false, source);
                }
            }
        }
        let snapshot = stats.snapshot()?;
        for (number, series) in snapshot.series().iter().enumerate() {
            assert_eq!(series.samples(), (4 * 10 * number + 6) as u64);
        }
        for (number, source) in snapshot.sources().iter().enumerate() {
            let kinds = ALL.len();
            assert_eq!(
                source.samples(),
                (5 * kinds * (kinds - 1) + kinds * number) as u64
            );
        }
        let series = snapshot.series().iter().map(|series| series.latency_sum());
        let sources = snapshot.sources().iter().map(|source| source.latency_sum());
        assert_eq!(series.sum::<u64>(), sources.sum());
        Ok(())
    }
}
