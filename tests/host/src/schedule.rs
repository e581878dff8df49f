// SPDX-License-Identifier: GPL-2.0

//! Tests the schedule of refills, with a simulated clock.

use crate::{
    logic::schedule::{
        RefillSchedule,
        Refilled,
        LONGEST_REST_US,
        REST_US, //
    },
    property::holds,
    Case, //
};
use proptest::collection::vec;
use std::cell::Cell;

pub(crate) const CASES: &[Case] = &[
    ("schedule_starved_delay_nobody", starved_delay_nobody),
    ("schedule_starved_rest", starved_rest),
    ("schedule_starved_rest_longer", starved_rest_longer),
    ("schedule_end_when_all_are_full", end_when_all_are_full),
];

/// A pool that needs this many chunks until it is full, or that never gets one.
struct Pool {
    chunks: u32,
    starved: bool,
    rests_until: u64,
    tries: Vec<u64>,
}

impl Pool {
    fn new(chunks: u32, starved: bool) -> Self {
        Self {
            chunks,
            starved,
            rests_until: 0,
            tries: Vec::new(),
        }
    }
}

/// The time that one refill takes.
const REFILL_US: u64 = 50;

/// Runs a round over all pools, and returns when the next one is due.
fn round(clock: &Cell<u64>, pools: &mut [Pool]) -> Option<u64> {
    let mut round = RefillSchedule::default();
    for pool in pools {
        let Pool {
            chunks,
            starved,
            rests_until,
            tries,
        } = pool;
        *rests_until = round.turn(
            *rests_until,
            || clock.get(),
            || {
                tries.push(clock.get());
                clock.set(clock.get() + REFILL_US);
                if *starved {
                    return Refilled::Starved;
                }
                *chunks = chunks.saturating_sub(1);
                if *chunks == 0 {
                    Refilled::Full
                } else {
                    Refilled::Partly
                }
            },
        );
    }
    round.next()
}

fn pools() -> impl proptest::strategy::Strategy<Value = Vec<(u32, bool)>> {
    vec((1..20_u32, proptest::bool::ANY), 1..6)
}

/// A pool that can get memory gets a chunk in each round, and no round waits until it is full.
fn starved_delay_nobody() {
    holds(pools(), |pools| {
        let clock = Cell::new(1);
        let mut pools: Vec<Pool> = pools.into_iter().map(|(n, s)| Pool::new(n, s)).collect();
        let most = pools.iter().filter(|pool| !pool.starved);
        let most = most.map(|pool| pool.chunks).max().unwrap_or(0);
        for done in 1..=most {
            let next = round(&clock, &mut pools);
            let waits = next.is_none_or(|next| next > clock.get());
            assert_eq!(waits, done == most, "after {done} of {most} rounds");
        }
        assert!(pools.iter().all(|pool| pool.starved || pool.chunks == 0));
    });
}

/// Even if it calls all the time, a starved pool is tried again only after a rest, and then at
/// once.
fn starved_rest() {
    holds((1..400_u64, pools()), |(pause, pools)| {
        let clock = Cell::new(1);
        let mut pools: Vec<Pool> = pools.into_iter().map(|(n, s)| Pool::new(n, s)).collect();
        while clock.get() < 5 * REST_US {
            round(&clock, &mut pools);
            clock.set(clock.get() + pause);
        }
        let slack = pause + REFILL_US * pools.len() as u64;
        for pool in pools.iter().filter(|pool| pool.starved) {
            for pair in pool.tries.windows(2) {
                let rest = pair[1] - pair[0] - REFILL_US;
                assert!((REST_US..=REST_US + slack).contains(&rest), "{rest} µs");
            }
            assert!(pool.tries.len() >= 4, "{} tries", pool.tries.len());
        }
    });
}

/// The rest is longer the longer the attempt took, within bounds.
fn starved_rest_longer() {
    holds(1..2 * LONGEST_REST_US, |tried| {
        let clock = Cell::new(1);
        let until = RefillSchedule::default().turn(
            0,
            || clock.get(),
            || {
                clock.set(clock.get() + tried);
                Refilled::Starved
            },
        );
        let rest = until - clock.get();
        assert!((REST_US..=LONGEST_REST_US).contains(&rest), "{rest} µs");
        assert!(
            rest >= 2 * tried || rest == LONGEST_REST_US,
            "{rest} µs after {tried} µs"
        );
        assert!(
            rest <= 2 * tried || rest == REST_US,
            "{rest} µs after {tried} µs"
        );
    });
}

/// If no pool calls, there is another round if and only if a pool misses pages. It is due at the
/// end of the first rest at the latest.
fn end_when_all_are_full() {
    holds(pools(), |pools| {
        let clock = Cell::new(1);
        let mut pools: Vec<Pool> = pools.into_iter().map(|(n, s)| Pool::new(n, s)).collect();
        for _ in 0..50 {
            let next = round(&clock, &mut pools);
            let done = pools.iter().all(|pool| !pool.starved && pool.chunks == 0);
            assert_eq!(next.is_none(), done);
            let Some(next) = next else { return };
            for pool in pools.iter().filter(|pool| pool.starved) {
                assert!(
                    pool.rests_until >= next,
                    "a rest ends before the next round"
                );
            }
            clock.set(clock.get().max(next));
        }
    });
}
