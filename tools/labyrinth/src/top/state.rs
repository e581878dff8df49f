// SPDX-License-Identifier: GPL-2.0

//! Computes the shown values from readings: rates, latencies, charts, least and peak values.

use super::{
    past::{Past, Step},
    reading::{Failed, Reading, Room},
    view::{Bucket, Chart, Context, Failures, Headroom, Latency, Pool, Tier, View},
};
use crate::module::{
    metrics::{self, Metrics},
    series::rank,
};
use std::time::Duration;

/// The number of values in a chart, which is larger than the width of a terminal.
const CHART: usize = 400;

/// The indices of the counters of a series in its [`Past`]. The buckets follow.
const SUCCESSES: usize = 0;
const FAILURES: usize = 1;
const BUCKETS: usize = 2;

/// The state after all readings so far.
#[derive(Clone, Debug, Default)]
pub struct State {
    last: Option<Duration>,
    view: View,
    failures: Past,
    series: Vec<Past>,
    pools: Vec<Past>,
}

impl State {
    /// Returns the values to show.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Takes a reading.
    pub fn update(&mut self, reading: Reading) {
        let length = reading.at.saturating_sub(self.last.unwrap_or(reading.at));

        self.last = Some(reading.at);
        self.view.schema = "labyrinth/top/1";
        self.view.seconds = reading.at.as_secs_f64();
        self.view.notes = reading.notes;
        self.headroom(reading.headroom);
        self.count_failures(reading.failures, length);
        self.module(reading.module.unwrap_or_default(), length);
    }

    /// Resets the least and the peak values.
    pub fn forget(&mut self) {
        if let Some(headroom) = &mut self.view.headroom {
            headroom.least = headroom.requests;
        }
        for context in &mut self.view.contexts {
            context.most_per_second = context.successes_per_second.unwrap_or(0.0);
            context.longest_ns = None;
        }
        for pool in &mut self.view.pools {
            pool.least_reserved = pool.reserved;
        }
    }

    fn headroom(&mut self, room: Option<Room>) {
        let before = self.view.headroom.take();

        self.view.headroom = room.map(|room| {
            let (least, mut chart) = before.map_or((u64::MAX, Chart::new()), |before| {
                (before.least, before.chart)
            });
            push(&mut chart, room.requests);
            Headroom {
                requests: room.requests,
                at_least: room.at_least,
                at_most: room.at_most,
                least: least.min(room.requests),
                chart,
            }
        });
    }

    fn count_failures(&mut self, failed: Option<Failed>, length: Duration) {
        let before = self.view.failures.take();

        self.view.failures = failed.map(|failed| {
            let mut chart = before.map_or_else(Chart::new, |before| before.chart);
            if let Some(step) = self.failures.add(vec![failed.count], length) {
                push(&mut chart, step.rate(0).round() as u64);
            }
            Failures {
                source: failed.source,
                failures: failed.count,
                failures_per_second: self.failures.lately().map(|step| step.rate(0)),
                rows: failed.rows,
                chart,
            }
        });
    }

    /// Takes the numbers of the module. Drops contexts and pools that are not there any more.
    fn module(&mut self, metrics: Metrics, length: Duration) {
        let mut contexts = std::mem::take(&mut self.view.contexts);
        let mut pasts = std::mem::take(&mut self.series);

        for series in &metrics.series {
            let known = contexts
                .iter()
                .position(|known| known.context == series.context && known.gfp == series.gfp);
            let (before, mut past) = match known {
                Some(index) => (contexts.remove(index), pasts.remove(index)),
                None => Default::default(),
            };
            let running = metrics
                .running
                .iter()
                .any(|(name, runs)| *name == series.context && *runs);
            self.view
                .contexts
                .push(context(series, running, before, &mut past, length));
            self.series.push(past);
        }
        let mut known = std::mem::take(&mut self.view.pools);
        let mut pasts = std::mem::take(&mut self.pools);

        for found in &metrics.pools {
            let index = known.iter().position(|known| known.pool == found.name);
            let (before, mut past) = match index {
                Some(index) => (Some(known.remove(index)), pasts.remove(index)),
                None => Default::default(),
            };
            self.view.pools.push(pool(found, before, &mut past, length));
            self.pools.push(past);
        }
    }
}

fn context(
    series: &metrics::Series,
    running: bool,
    before: Context,
    past: &mut Past,
    length: Duration,
) -> Context {
    let mut counts = vec![series.successes, series.failures];
    let mut next = Context {
        context: series.context.clone(),
        gfp: series.gfp.clone(),
        running,
        successes: series.successes,
        failures: series.failures,
        ..before
    };

    counts.extend(&series.buckets);
    if let Some(step) = past.add(counts, length) {
        let latency = latency(series, step);
        push(&mut next.chart, step.rate(SUCCESSES).round() as u64);
        push(&mut next.latency_chart, latency.p99_ns.unwrap_or(0));
        next.longest_ns = next.longest_ns.max(latency.max_ns);
    }
    if let Some(lately) = past.lately() {
        next.successes_per_second = Some(lately.rate(SUCCESSES));
        next.failures_per_second = Some(lately.rate(FAILURES));
        next.most_per_second = next.most_per_second.max(lately.rate(SUCCESSES));
    } else {
        next.successes_per_second = None;
        next.failures_per_second = None;
    }
    next.latency = latency(series, past.in_window());
    next
}

/// Returns the latencies in a step of a series.
fn latency(series: &metrics::Series, step: &Step) -> Latency {
    let counts = step.counts.get(BUCKETS..).unwrap_or(&[]);
    let samples = counts.iter().sum();
    let some = |count: &u64| *count > 0;
    let (Some(first), Some(last)) = (counts.iter().position(some), counts.iter().rposition(some))
    else {
        return Latency {
            seconds: step.length.as_secs_f64(),
            ..Latency::default()
        };
    };
    let edge = |percent: f64| {
        let rank = rank(samples, percent);
        let mut below = 0;
        let index = counts.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        series.edges[index]
    };

    Latency {
        seconds: step.length.as_secs_f64(),
        samples,
        p50_ns: edge(50.0),
        p99_ns: edge(99.0),
        max_ns: edge(100.0),
        buckets: (first..=last)
            .map(|index| Bucket {
                to_ns: series.edges[index],
                count: counts[index],
            })
            .collect(),
    }
}

fn pool(found: &metrics::Pool, before: Option<Pool>, past: &mut Past, length: Duration) -> Pool {
    let (least, mut chart) = before.map_or((u64::MAX, Chart::new()), |before| {
        (before.least_reserved, before.chart)
    });
    let mut counts = vec![found.failures];

    counts.extend(found.tiers.iter().map(|tier| tier.hits));
    past.add(counts, length);
    push(&mut chart, found.reserved);
    let lately = past.lately();
    let rate = |index| lately.as_ref().map(|step| step.rate(index));
    let tiers = found.tiers.iter().enumerate().map(|(index, tier)| Tier {
        tier: tier.name.clone(),
        hits: tier.hits,
        hits_per_second: rate(1 + index),
        misses: tier.misses,
    });

    Pool {
        pool: found.name.clone(),
        tiers: tiers.collect(),
        failures: found.failures,
        failures_per_second: rate(0),
        cached: found.cached,
        reserved: found.reserved,
        least_reserved: least.min(found.reserved),
        reserve_target: found.reserve_target,
        returning: found.returning,
        chart,
    }
}

fn push(chart: &mut Chart, value: u64) {
    if chart.len() == CHART {
        chart.pop_front();
    }
    chart.push_back(value);
}

#[cfg(test)]
pub(super) mod tests {
    use super::{State, CHART};
    use crate::{
        failures::probe::Source,
        module::metrics::{self, Metrics, Pool, Series, Tier},
        top::reading::{Failed, Reading, Room},
    };
    use std::time::Duration;

    pub(crate) fn at(seconds: u64) -> Reading {
        Reading {
            at: Duration::from_secs(seconds),
            ..Reading::default()
        }
    }

    fn series(successes: u64, failures: u64, buckets: [u64; 3]) -> Series {
        Series {
            context: "task".to_owned(),
            gfp: "GFP_ATOMIC".to_owned(),
            successes,
            failures,
            edges: vec![Some(511), Some(1023), None],
            buckets: buckets.to_vec(),
        }
    }

    fn with(seconds: u64, series: Vec<Series>) -> Reading {
        Reading {
            module: Some(Metrics {
                series,
                running: vec![("task".to_owned(), true)],
                ..Metrics::default()
            }),
            ..at(seconds)
        }
    }

    fn pool(name: &str, hits: u64, reserved: u64) -> Pool {
        Pool {
            name: name.to_owned(),
            tiers: vec![Tier {
                name: "cache".to_owned(),
                hits,
                misses: 2,
            }],
            reserved,
            reserve_target: 256,
            ..Pool::default()
        }
    }

    fn pools(seconds: u64, pools: Vec<Pool>) -> Reading {
        Reading {
            module: Some(Metrics {
                pools,
                ..Metrics::default()
            }),
            ..at(seconds)
        }
    }

    #[test]
    fn rates_need_two_readings() {
        let mut state = State::default();
        state.update(with(10, vec![series(1_000_000, 50, [0, 0, 0])]));
        let first = &state.view().contexts[0];
        assert_eq!(
            (first.successes_per_second, first.failures_per_second),
            (None, None)
        );
        assert_eq!((first.successes, first.running), (1_000_000, true));
        state.update(with(12, vec![series(1_000_500, 60, [0, 0, 0])]));
        let context = &state.view().contexts[0];
        assert_eq!(context.successes_per_second, Some(250.0));
        assert_eq!(context.failures_per_second, Some(5.0));
        assert_eq!(context.chart, [250]);
        assert_eq!(state.view().seconds, 12.0);
    }

    #[test]
    fn latencies_are_those_of_the_window() {
        let mut state = State::default();
        state.update(with(0, vec![series(0, 0, [1_000_000, 7, 1])]));
        state.update(with(1, vec![series(0, 0, [1_000_000, 105, 3])]));
        let latency = state.view().contexts[0].latency.clone();
        assert_eq!((latency.samples, latency.seconds), (100, 1.0));
        // 98 are in the second bucket. 2 are in the last, which has no upper edge.
        assert_eq!(
            (latency.p50_ns, latency.p99_ns, latency.max_ns),
            (Some(1023), None, None)
        );
        let buckets: Vec<_> = latency.buckets.iter().map(|b| (b.to_ns, b.count)).collect();
        assert_eq!(buckets, [(Some(1023), 98), (None, 2)]);
        for second in 2..=11 {
            state.update(with(
                second,
                vec![series(0, 0, [1_000_000 + second, 105, 3])],
            ));
        }
        let latency = &state.view().contexts[0].latency;
        assert_eq!(
            (latency.samples, latency.p99_ns, latency.max_ns),
            (11, Some(511), Some(511))
        );
    }

    #[test]
    fn a_reset_makes_no_giant_rate() {
        let mut state = State::default();
        state.update(with(0, vec![series(5_000_000, 9, [5_000_000, 0, 0])]));
        state.update(with(1, vec![series(5_000_100, 9, [5_000_100, 0, 0])]));
        state.update(with(2, vec![series(30, 1, [20, 11, 0])]));
        let context = &state.view().contexts[0];
        assert_eq!(context.successes_per_second, Some(30.0));
        assert_eq!(context.failures_per_second, Some(1.0));
        assert_eq!(
            (context.most_per_second, context.latency.samples),
            (100.0, 131)
        );
    }

    #[test]
    fn the_module_goes_and_comes_back() {
        let mut state = State::default();
        state.update(with(0, vec![series(100, 0, [100, 0, 0])]));
        state.update(with(1, vec![series(200, 0, [200, 0, 0])]));
        state.update(at(2));
        assert!(state.view().contexts.is_empty());
        state.update(with(3, vec![series(90_000, 0, [90_000, 0, 0])]));
        let context = &state.view().contexts[0];
        assert_eq!(
            (context.successes_per_second, context.chart.len()),
            (None, 0)
        );
        state.update(with(4, vec![series(90_010, 0, [90_010, 0, 0])]));
        assert_eq!(state.view().contexts[0].successes_per_second, Some(10.0));
    }

    #[test]
    fn an_exercise_that_starts_has_a_rate_at_once() {
        let mut state = State::default();
        let mut idle = with(0, vec![series(0, 0, [0, 0, 0])]);
        idle.module.as_mut().unwrap().running[0].1 = false;
        state.update(idle);
        assert!(!state.view().contexts[0].running);
        state.update(with(1, vec![series(40, 0, [40, 0, 0])]));
        let context = &state.view().contexts[0];
        assert_eq!(
            (context.running, context.successes_per_second),
            (true, Some(40.0))
        );
        assert_eq!(context.latency.p99_ns, Some(511));
    }

    #[test]
    fn pools_come_and_go() {
        let mut state = State::default();
        state.update(pools(0, vec![pool("default", 10, 256), pool("mine", 0, 4)]));
        state.update(pools(1, vec![pool("default", 30, 200), pool("mine", 7, 4)]));
        let rates = |state: &State| -> Vec<(String, Option<f64>)> {
            let pools = state.view().pools.iter();
            pools
                .map(|pool| (pool.pool.clone(), pool.tiers[0].hits_per_second))
                .collect()
        };
        assert_eq!(
            rates(&state),
            [("default".into(), Some(20.0)), ("mine".into(), Some(7.0))]
        );
        // Another pool replaces the first one.
        state.update(pools(2, vec![pool("other", 999, 1), pool("mine", 9, 4)]));
        assert_eq!(
            rates(&state),
            [("other".into(), None), ("mine".into(), Some(2.0))]
        );
        state.update(pools(
            3,
            vec![pool("default", 500_000, 256), pool("mine", 9, 4)],
        ));
        assert_eq!(
            rates(&state),
            [("default".into(), None), ("mine".into(), Some(0.0))]
        );
        assert_eq!(state.view().pools[0].least_reserved, 256);
    }

    #[test]
    fn least_and_peak_values_stay_until_they_are_forgotten() {
        let mut state = State::default();
        for (second, requests, rate) in [(0, 900, 0), (1, 300, 5000), (2, 800, 5010)] {
            let mut reading = with(second, vec![series(rate, 0, [rate, 0, 0])]);
            reading.module.as_mut().unwrap().pools = vec![pool("default", 0, requests)];
            reading.headroom = Some(Room {
                requests,
                at_least: requests - 1,
                at_most: requests + 1,
            });
            state.update(reading);
        }
        let values = |state: &State| {
            let view = state.view();
            (
                view.headroom.as_ref().unwrap().least,
                view.contexts[0].most_per_second,
                view.contexts[0].longest_ns,
                view.pools[0].least_reserved,
            )
        };
        assert_eq!(values(&state), (300, 5000.0, Some(511), 300));
        assert_eq!(
            state.view().headroom.as_ref().unwrap().chart,
            [900, 300, 800]
        );
        state.forget();
        assert_eq!(values(&state), (800, 10.0, None, 800));
    }

    #[test]
    fn failures_are_counted_from_when_they_are_seen() {
        let failed = |seconds, count| Reading {
            failures: Some(Failed {
                source: Source::Kprobe,
                count,
                rows: Vec::new(),
            }),
            ..at(seconds)
        };
        let mut state = State::default();
        state.update(at(0));
        assert!(state.view().failures.is_none());
        state.update(failed(1, 3));
        let failures = state.view().failures.as_ref().unwrap();
        assert_eq!((failures.failures, failures.failures_per_second), (3, None));
        state.update(failed(3, 13));
        let failures = state.view().failures.as_ref().unwrap();
        assert_eq!(failures.failures_per_second, Some(5.0));
        assert_eq!(failures.chart, [5]);
    }

    #[test]
    fn readings_at_one_time_have_no_rate() {
        let mut state = State::default();
        state.update(with(1, vec![series(0, 0, [0, 0, 0])]));
        state.update(with(1, vec![series(10, 0, [10, 0, 0])]));
        assert_eq!(state.view().contexts[0].successes_per_second, Some(0.0));
    }

    #[test]
    fn charts_have_an_end() {
        let mut state = State::default();
        for second in 0..CHART as u64 + 50 {
            state.update(with(second, vec![series(second * second, 0, [0, 0, 0])]));
        }
        let chart = &state.view().contexts[0].chart;
        assert_eq!(chart.len(), CHART);
        assert!(chart.front() < chart.back());
    }

    #[test]
    fn real_numbers_are_understood() {
        let mut state = State::default();
        for (seconds, text) in [
            (0, include_str!("../../tests/top/metrics-1.txt")),
            (1, include_str!("../../tests/top/metrics-2.txt")),
        ] {
            state.update(Reading {
                module: metrics::parse(text),
                ..at(seconds)
            });
        }
        let view = state.view();
        let busy: Vec<_> = view
            .contexts
            .iter()
            .filter(|context| context.running)
            .collect();
        assert!(!busy.is_empty());
        for context in busy {
            assert!(context.successes_per_second > Some(0.0), "{context:?}");
            assert!(
                context.latency.p50_ns <= context.latency.p99_ns,
                "{context:?}"
            );
            assert!(context.latency.p99_ns > Some(0), "{context:?}");
        }
        assert!(view
            .pools
            .iter()
            .any(|pool| pool.reserve_target > 0 && pool.tiers.len() == 4));
    }
}
