// SPDX-License-Identifier: GPL-2.0

//! The increments of counters in the last seconds.

use std::{collections::VecDeque, time::Duration};

/// Increments are kept for this time, rounded to whole intervals.
const WINDOW: Duration = Duration::from_secs(10);
/// Rates cover this time, rounded to whole intervals, but at least one.
const RATES: Duration = Duration::from_secs(1);

/// Counters that are read periodically.
#[derive(Clone, Debug, Default)]
pub struct Past {
    before: Option<Vec<u64>>,
    steps: VecDeque<Step>,
    /// The sum of all steps.
    total: Step,
}

/// The increments of the counters in some time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The length of the time.
    pub length: Duration,
    /// The increment of each counter.
    pub counts: Vec<u64>,
}

impl Step {
    /// Returns the increment of a counter per second.
    pub fn rate(&self, index: usize) -> f64 {
        let seconds = self.length.as_secs_f64();
        let count = self.counts.get(index).copied().unwrap_or(0);

        if seconds > 0.0 {
            count as f64 / seconds
        } else {
            0.0
        }
    }

    fn add(&mut self, other: &Self) {
        self.length += other.length;
        self.counts.resize(other.counts.len(), 0);
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum = sum.saturating_add(*count);
        }
    }

    fn subtract(&mut self, other: &Self) {
        self.length = self.length.saturating_sub(other.length);
        for (sum, count) in self.counts.iter_mut().zip(&other.counts) {
            *sum = sum.saturating_sub(*count);
        }
    }
}

impl Past {
    /// Takes the values of the counters, `length` after the last ones. Returns their increments, if
    /// there were values before.
    ///
    /// If a counter is smaller than before, all counters were reset to 0 meanwhile. The increments
    /// are then counted from 0.
    pub fn add(&mut self, now: Vec<u64>, length: Duration) -> Option<&Step> {
        let before = self.before.replace(now.clone())?;

        if before.len() != now.len() {
            // The histogram has other buckets, so another module was loaded.
            *self = Self {
                before: Some(now),
                ..Self::default()
            };
            return None;
        }
        let went_back = before.iter().zip(&now).any(|(before, now)| now < before);
        let counts = if went_back {
            now
        } else {
            now.iter()
                .zip(&before)
                .map(|(now, before)| now - before)
                .collect()
        };
        let step = Step { length, counts };

        self.total.add(&step);
        self.steps.push_back(step);
        while let Some(oldest) = self.steps.front() {
            let without = self.total.length - oldest.length;
            if self.steps.len() == 1 || nearer(self.total.length, without, WINDOW) {
                break;
            }
            self.total.subtract(oldest);
            self.steps.pop_front();
        }
        self.steps.back()
    }

    /// Returns the increments in the last second, or in the last interval.
    pub fn lately(&self) -> Option<Step> {
        let mut steps = self.steps.iter().rev();
        let mut sum = steps.next()?.clone();

        for step in steps {
            if nearer(sum.length, sum.length + step.length, RATES) {
                break;
            }
            sum.add(step);
        }
        Some(sum)
    }

    /// Returns the increments in the window.
    pub fn in_window(&self) -> &Step {
        &self.total
    }
}

/// Returns whether a time is nearer to the wanted one than another time is.
fn nearer(time: Duration, other: Duration, wanted: Duration) -> bool {
    time.abs_diff(wanted) < other.abs_diff(wanted)
}

#[cfg(test)]
mod tests {
    use super::{Past, Step};
    use std::time::Duration;

    const TENTH: Duration = Duration::from_millis(100);
    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn rates_are_those_of_a_second() {
        let mut past = Past::default();
        assert_eq!(past.add(vec![1000, 5], TENTH), None);
        assert_eq!(past.lately(), None);
        // 10 and 30 in turn in each tenth of a second, which is 200 a second on average.
        for step in 1..=20 {
            let now = 1000 + step / 2 * 40 + step % 2 * 10;
            past.add(vec![now, 5], TENTH);
        }
        let lately = past.lately().unwrap();
        assert_eq!(lately.length, TENTH * 10);
        assert_eq!((lately.rate(0), lately.rate(1)), (200.0, 0.0));
        assert_eq!(past.in_window().counts, [400, 0]);
    }

    #[test]
    fn a_long_interval_is_a_rate_by_itself() {
        let mut past = Past::default();
        past.add(vec![0], Duration::ZERO);
        past.add(vec![1000], Duration::from_millis(999));
        past.add(vec![1010], Duration::from_millis(1001));
        assert!((past.lately().unwrap().rate(0) - 10.0).abs() < 0.1);
    }

    #[test]
    fn counters_that_went_back_began_anew() {
        let mut past = Past::default();
        past.add(vec![1_000_000, 500, 7], TENTH);
        let step = past.add(vec![40, 501, 8], TENTH).unwrap();
        // The second counter has already passed its old value, but it was reset, too.
        assert_eq!(step.counts, [40, 501, 8]);
        assert_eq!(
            past.add(vec![50, 511, 8], TENTH).unwrap().counts,
            [10, 10, 0]
        );
    }

    #[test]
    fn old_steps_are_forgotten() {
        let mut past = Past::default();
        let second = Duration::from_secs(1);
        past.add(vec![0], second);
        for now in 1..=100 {
            past.add(vec![now * now], second);
        }
        assert_eq!(past.in_window().length, TEN);
        assert_eq!(past.in_window().counts, [100 * 100 - 90 * 90]);
        // One step that is longer than the window stays.
        past.add(vec![20_000], TEN * 3);
        assert_eq!(past.in_window().counts, [10_000]);
    }

    #[test]
    fn times_are_rounded_to_whole_intervals() {
        let after = |interval| {
            let mut past = Past::default();
            past.add(vec![0], Duration::ZERO);
            for now in 1..=1000 {
                past.add(vec![now], Duration::from_millis(interval));
            }
            (past.lately().unwrap().counts[0], past.in_window().counts[0])
        };
        // Real intervals are never exact.
        assert_eq!(after(999), (1, 10));
        assert_eq!(after(1001), (1, 10));
        assert_eq!(after(300), (3, 33));
        assert_eq!(after(3000), (1, 3));
    }

    #[test]
    fn other_counters_are_no_step() {
        let mut past = Past::default();
        past.add(vec![1, 2], TENTH);
        past.add(vec![2, 4], TENTH);
        assert_eq!(past.add(vec![9, 9, 9], TENTH), None);
        assert_eq!(past.lately(), None);
        assert_eq!(past.add(vec![9, 9, 10], TENTH).unwrap().counts, [0, 0, 1]);
        assert_eq!(Step::default().rate(3), 0.0);
    }
}
