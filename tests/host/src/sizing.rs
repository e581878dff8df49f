// SPDX-License-Identifier: GPL-2.0

//! Tests the rule by which a reserve sizes itself, with a simulated clock and bursts of many kinds.

mod model;
mod plot;

use crate::{
    logic::{
        allowance::{
            Allowance,
            Available, //
        },
        sizing::{
            AutoReserve,
            Reason,
            Seen,
            Sizing, //
        }, //
    },
    property::holds,
    Case, //
};
use model::Model;
pub(crate) use plot::plot;
use proptest::{
    bool,
    collection::vec,
    num,
    prelude::Just,
    prop_oneof,
    strategy::Strategy, //
};

pub(crate) const CASES: &[Case] = &[
    ("sizing_third_burst", third_burst),
    ("sizing_larger_bursts", larger_bursts),
    ("sizing_bursts_that_stop", bursts_that_stop),
    ("sizing_hour_of_calm", hour_of_calm),
    ("sizing_calm_is_slow", calm_is_slow),
    ("sizing_traces_are_covered", traces_are_covered),
    ("sizing_ramps_are_followed", ramps_are_followed),
    ("sizing_steady_bursts", steady_bursts),
    ("sizing_retries_do_not_add_up", retries_do_not_add_up),
    ("sizing_keeps_within_bounds", keeps_within_bounds),
    ("sizing_marks_of_windows", marks_of_windows),
    ("sizing_without_memory", without_memory),
    ("sizing_leaves_a_quarter", leaves_a_quarter),
    ("sizing_allowance", allowance),
    ("sizing_plot_is_current", plot_is_current),
];

/// More than any burst in these tests.
const MAX: usize = 200_000;

const SECOND: u64 = 1_000_000;
const HOUR: u64 = 3600 * SECOND;
const HALF_LIFE: u64 = AutoReserve::HALF_LIFE_MS as u64 * 1000;
const WINDOW: u64 = HALF_LIFE / 16;

/// A pause after which no refusal is remembered.
const PAUSE: u64 = 2 * SECOND;

fn empty(max: usize) -> Model {
    Model::new(0, AutoReserve::up_to(max))
}

/// From nothing, the third burst of one size drops nothing, and neither do the next ones. That is so
/// for any size and pause, wherever in a burst the refill thread has its turns, and if the bound is
/// just the size.
fn third_burst() {
    holds(
        (1..50_000_usize, 1..20_usize, PAUSE..300 * SECOND, bool::ANY),
        |(pages, parts, pause, tight)| {
            let mut model = empty(if tight { pages } else { MAX });
            assert_eq!(
                model.burst(pages, 1),
                pages,
                "the reserve is not empty at first"
            );
            model.calm(pause);
            model.burst(pages, parts);
            for number in 3..6 {
                model.calm(pause);
                assert_eq!(model.burst(pages, parts), 0, "burst {number}");
            }
        },
    );
}

/// When the bursts become larger by any factor, at most three bursts drop something.
fn larger_bursts() {
    let factors = 1..40_usize;
    holds(
        (1..5000_usize, factors, 1..20_usize, PAUSE..60 * SECOND),
        |(pages, factor, parts, pause)| {
            let mut model = empty(MAX);
            for _ in 0..3 {
                model.burst(pages, parts);
                model.calm(pause);
            }
            let mut bad = 0;
            for _ in 0..6 {
                bad += usize::from(model.burst(pages * factor, parts) != 0);
                model.calm(pause);
            }
            assert!(bad <= 3, "{bad} bursts");
            assert_eq!(model.burst(pages * factor, parts), 0);
        },
    );
}

/// If a burst stops at the first failure, the demand is not known. Then the target doubles, so that
/// bursts four times as large are covered after at most three, and any burst after a logarithmic
/// number.
fn bursts_that_stop() {
    let burst = |model: &mut Model, pages: usize| {
        let stops = pages.min(model.level + 1);
        let short = model.request(stops) != 0;
        model.settle();
        model.calm(PAUSE);
        short
    };
    holds((1..2000_usize, 5..64_usize), |(pages, factor)| {
        let mut model = empty(MAX);
        let mut bad = 0;
        while burst(&mut model, pages) {
            bad += 1;
        }
        let most = 2 + (pages / 64).checked_ilog2().map_or(0, |log| log + 1);
        assert!(bad <= most, "{bad} bursts of {pages} pages");
        for (factor, most) in [(4, 3), (factor, 1 + factor.ilog2())] {
            let mut model = empty(MAX);
            for _ in 0..3 {
                model.burst(pages, 1);
                model.calm(PAUSE);
            }
            let mut bad = 0;
            while burst(&mut model, pages * factor) {
                bad += 1;
            }
            assert!(bad <= most, "{bad} bursts {factor} times as large");
        }
    });
}

/// After any bursts, an hour of calm gives back at least three quarters, and a day everything.
fn hour_of_calm() {
    let bursts = vec((1..50_000_usize, 0..600 * SECOND), 1..10);
    holds((bursts, 0..2000_usize), |(bursts, least)| {
        let mut model = Model::new(least, AutoReserve::up_to(MAX));
        for (pages, pause) in bursts {
            model.burst(pages, 1);
            model.calm(pause);
        }
        let before = model.target();
        model.calm(HOUR);
        assert!(
            model.target() <= least.max(before / 4),
            "{before} pages became {}",
            model.target()
        );
        assert_eq!(model.level, model.target());
        model.calm(24 * HOUR);
        assert_eq!((model.target(), model.level), (least, least));
    });
}

/// A burst is still covered after half a half-life, and the target has not changed in a hurry.
fn calm_is_slow() {
    holds((1..50_000_usize, 0..HALF_LIFE / 2), |(pages, pause)| {
        let mut model = empty(MAX);
        model.burst(pages, 1);
        let before = model.target();
        model.calm(WINDOW / 2);
        assert_eq!(model.target(), before, "half a window is enough");
        model.calm(pause);
        assert_eq!(model.burst(pages, 1), 0);
    });
}

/// A trace of bursts: the pages and the pause after each.
type Trace = Vec<(usize, u64)>;

/// Bursts with a Pareto distribution of sizes (and of pauses), as of network traffic: most are
/// small, and a few are very large.
fn pareto() -> impl Strategy<Value = Trace> {
    let burst = (0.001..1.0, 0.001..1.0, 10..200_usize).prop_map(|(size, pause, scale)| {
        let tail = |uniform: f64, shape: f64| uniform.powf(-1.0 / shape);
        let pages = (scale as f64 * tail(size, 1.2)) as usize;
        let pause = PAUSE + (SECOND as f64 * tail(pause, 1.1)) as u64;
        (pages.clamp(1, MAX / 4), pause)
    });
    vec(burst, 2..80)
}

/// A source that is on, with bursts of one size in quick succession, and then off.
fn on_off() -> impl Strategy<Value = Trace> {
    let phase = (1..20_000_usize, 1..20_usize, PAUSE..5 * SECOND, PAUSE..HOUR);
    let phase = phase.prop_map(|(pages, count, pause, off)| {
        let mut bursts = vec![(pages, pause); count];
        bursts.push((pages, off));
        bursts
    });
    vec(phase, 1..8).prop_map(|phases| phases.concat())
}

/// Bursts that become larger, or smaller, by a constant factor.
fn ramp() -> impl Strategy<Value = Trace> {
    (1..5000_usize, 0.5..2.0, 2..40_usize, PAUSE..120 * SECOND).prop_map(
        |(first, factor, count, pause)| {
            let size = |i| (first as f64 * f64::powi(factor, i)) as usize;
            (0..count as i32)
                .map(|i| (size(i).clamp(1, MAX / 4), pause))
                .collect()
        },
    )
}

/// In any trace, a burst is covered if a burst of at least its size was within half a half-life
/// before it, and the target never exceeds three times the largest burst.
fn traces_are_covered() {
    let trace = prop_oneof![
        pareto(),
        on_off(),
        ramp(),
        (pareto(), ramp(), on_off()).prop_map(|(a, b, c)| [a, b, c].concat())
    ];
    holds((trace, 1..8_usize), |(trace, parts)| {
        let mut model = empty(MAX);
        let mut seen: Vec<(u64, usize)> = Vec::new();
        let mut largest = 0;
        for (pages, pause) in trace {
            let since = model.now.saturating_sub(HALF_LIFE / 2 - WINDOW);
            let covered = seen
                .iter()
                .any(|&(when, before)| when >= since && before >= pages);
            let refused = model.burst(pages, parts);
            assert!(
                !covered || refused == 0,
                "{refused} of {pages} requests were refused; target {}",
                model.target()
            );
            seen.push((model.now, pages));
            largest = largest.max(pages);
            assert!(
                model.target() <= 64.max(3 * largest),
                "{} pages for bursts of {largest}",
                model.target()
            );
            assert_eq!(model.level, model.target());
            model.calm(pause);
        }
    });
}

/// If each burst is at most two fifths larger than the one before, only the first drops something.
fn ramps_are_followed() {
    holds(
        (40..2000_usize, 1.1..1.4, PAUSE..WINDOW),
        |(first, factor, pause)| {
            let mut model = empty(MAX);
            model.burst(first, 1);
            let mut pages = first;
            while pages < MAX {
                model.calm(pause);
                assert_eq!(model.burst(pages, 1), 0, "{pages} pages after {first}");
                pages = (pages as f64 * factor) as usize;
            }
        },
    );
}

/// Bursts of one size do not make the target go up and down.
fn steady_bursts() {
    holds((1..20_000_usize, PAUSE..WINDOW), |(pages, pause)| {
        let mut model = empty(MAX);
        for _ in 0..3 {
            model.burst(pages, 1);
            model.calm(pause);
        }
        let (target, before) = (model.target(), model.resizes.len());
        for _ in 0..50 {
            model.burst(pages, 1);
            model.calm(pause);
        }
        assert_eq!(model.target(), target);
        assert!(model.resizes[before..]
            .iter()
            .all(|resize| resize.reason == Reason::Kept && resize.high_water == pages));
    });
}

/// A driver that repeats the same requests all the time, because there is no memory at all, does not
/// make the target grow beyond all bounds.
fn retries_do_not_add_up() {
    let mut model = empty(1 << 18);
    model.free = Some(0);
    for _ in 0..10_000 {
        model.request(64);
        model.turn();
        model.now += 1000;
    }
    // 100 to 200 retries are remembered at a time.
    assert!(
        (64..64 * 512).contains(&model.target()),
        "{} pages",
        model.target()
    );
}

/// Whatever is observed, in whatever order, the target stays within its bounds, and nothing
/// overflows.
fn keeps_within_bounds() {
    let edge = prop_oneof![Just(0), Just(usize::MAX), 0..100_000_usize, num::usize::ANY];
    let time = prop_oneof![0..HOUR, num::u64::ANY];
    let seen = vec((time, edge.clone(), edge, num::u64::ANY), 1..40);
    let bounds = (0..1000_usize, 0..(1_usize << 18), num::u32::ANY);
    holds((seen, bounds), |(seen, (least, more, half_life_ms))| {
        let max = least + more;
        let mut sizing = Sizing::new(least, AutoReserve { max, half_life_ms });
        for (now, level, drawn, refused) in seen {
            let outcome = sizing.observe(&Seen {
                now,
                level,
                drawn,
                refused,
            });
            assert!((least..=max).contains(&sizing.target()), "{outcome:?}");
            for resize in [outcome.ended, outcome.grown].into_iter().flatten() {
                assert!((least..=max).contains(&resize.to), "{resize:?}");
                assert_eq!(
                    resize.from == resize.to,
                    resize.reason == Reason::Kept,
                    "{resize:?}"
                );
                let down = resize.to < resize.from;
                assert_eq!(down, resize.reason == Reason::Calm, "{resize:?}");
            }
        }
    });
}

/// The mark of a window is its largest burst, and there is a decision for each window with demand.
fn marks_of_windows() {
    let bursts = vec(vec(1..5000_usize, 0..6), 1..12);
    holds(bursts, |windows| {
        let mut model = empty(MAX);
        // This burst begins the first window.
        model.burst(6000, 1);
        let end = model.now + WINDOW;
        for (number, bursts) in windows.iter().enumerate() {
            model.calm((end + number as u64 * WINDOW).saturating_sub(model.now));
            model.calm(PAUSE);
            let before = model.resizes.len();
            for &pages in bursts {
                model.burst(pages, 1);
                model.calm(PAUSE);
            }
            let end = end + (number as u64 + 1) * WINDOW;
            model.calm(end.saturating_sub(model.now) + PAUSE);
            let largest = bursts.iter().copied().max().unwrap_or(0);
            assert_eq!(model.high_water(), largest, "window {number}");
            let ended: Vec<_> = model.resizes[before..]
                .iter()
                .filter(|resize| matches!(resize.reason, Reason::Kept | Reason::Calm))
                .collect();
            assert!(ended.len() <= 1, "{ended:?}");
            if largest != 0 {
                assert_eq!(ended[0].high_water, largest);
            }
            // Stay at the beginning of the next window.
            model.now = end + PAUSE;
        }
    });
}

/// A reserve that cannot be refilled does not take its emptiness for a demand.
fn without_memory() {
    let mut model = empty(MAX);
    model.burst(10_000, 1);
    model.free = Some(0);
    assert_eq!(model.burst(10_000, 1), 0);
    model.calm(2 * HOUR);
    assert!(model.target() < 1000, "{} pages", model.target());
}

/// With any memory, a reserve of any history has at most three quarters of it, and takes these three
/// quarters if it needs them.
fn leaves_a_quarter() {
    let bursts = vec((1..100_000_usize, PAUSE..HOUR), 1..10);
    holds((bursts, 0..50_000_usize), |(bursts, memory)| {
        let mut model = empty(MAX);
        model.free = Some(memory);
        for (pages, pause) in bursts {
            model.burst(pages, 1);
            // The pages of the burst come back to the allocator.
            model.free = Some(memory - model.level);
            model.settle();
            assert!(
                model.level <= memory - memory.div_ceil(4),
                "{} of {memory} pages",
                model.level
            );
            assert_eq!(model.level, model.target().min(memory - memory.div_ceil(4)));
            model.calm(pause);
            assert!(model.level <= memory - memory.div_ceil(4));
        }
    });
}

fn allowance() {
    let any = || prop_oneof![0..10_000_usize, num::usize::ANY];
    holds(
        (any(), any(), any(), any()),
        |(held, free, reclaimable, at_once)| {
            let available = Available {
                free,
                reclaimable,
                at_once,
            };
            let all = (held as u128 + free as u128).max(reclaimable as u128);
            match available.allowance(held) {
                Allowance::Pages(pages) => {
                    assert!((1..=at_once).contains(&pages));
                    assert!(4 * (held as u128 + pages as u128) <= 3 * all);
                }
                Allowance::Later => assert_eq!(at_once, 0),
                Allowance::Nothing => {
                    assert!(4 * (held as u128 + 1) > 3 * all.min(usize::MAX as u128));
                }
            }
        },
    );
}

/// The plot in the documentation shows the rule as it is.
fn plot_is_current() {
    let shown = include_str!("../../../Documentation/auto-reserve.svg");
    assert!(
        shown == plot(),
        "run tests/host/run.sh --plot >Documentation/auto-reserve.svg"
    );
}
