// SPDX-License-Identifier: GPL-2.0

//! How many pages were taken in any stretch of time, and by whom.

use std::collections::{HashMap, VecDeque};

/// How many bursts are kept for each length.
const KEPT: usize = 3;

/// A request that got its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in nanoseconds.
    pub time: u64,
    /// How many pages.
    pub pages: u64,
    /// The number of the caller.
    pub who: usize,
}

/// The pages that were taken in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burst {
    /// The pages.
    pub pages: u64,
    /// The time of the last request, in nanoseconds.
    pub end: u64,
    /// The callers with their pages, the largest share first.
    pub by: Vec<(usize, u64)>,
}

/// Finds the largest bursts of a length. Bursts that overlap count as one, with the largest number.
#[derive(Debug)]
pub struct Window {
    length: u64,
    /// Those of the last stretch, and those that may be part of the burst that is going on.
    events: VecDeque<Event>,
    /// Where the last stretch begins.
    from: usize,
    sum: u64,
    /// The pages and the end of the burst that is going on.
    peak: Option<(u64, u64)>,
    largest: Vec<Burst>,
}

impl Window {
    /// Starts with a length in nanoseconds.
    pub fn new(length: u64) -> Self {
        Self {
            length,
            events: VecDeque::new(),
            from: 0,
            sum: 0,
            peak: None,
            largest: Vec::new(),
        }
    }

    /// Adds an event. Events come in the order of their times.
    pub fn add(&mut self, event: Event) {
        self.events.push_back(event);
        self.sum += event.pages;
        while self.events[self.from].time + self.length <= event.time {
            self.sum -= self.events[self.from].pages;
            self.from += 1;
        }
        if self
            .peak
            .is_some_and(|(_, end)| end + self.length <= event.time)
        {
            self.close();
        }
        if self.peak.is_none_or(|(pages, _)| self.sum > pages) {
            self.peak = Some((self.sum, event.time));
        }
        let end = self.peak.map_or(event.time, |(_, end)| end);
        while self.events[0].time + self.length <= end {
            self.events.pop_front();
            self.from -= 1;
        }
    }

    /// Ends the burst that is going on.
    fn close(&mut self) {
        let Some((pages, end)) = self.peak.take() else {
            return;
        };
        let place = self.largest.partition_point(|other| other.pages >= pages);

        if place >= KEPT {
            return;
        }
        let mut by: HashMap<usize, u64> = HashMap::new();
        for event in &self.events {
            if event.time <= end && event.time + self.length > end {
                *by.entry(event.who).or_default() += event.pages;
            }
        }
        let mut by: Vec<(usize, u64)> = by.into_iter().collect();
        by.sort_by_key(|&(who, pages)| (std::cmp::Reverse(pages), who));
        self.largest.insert(place, Burst { pages, end, by });
        self.largest.truncate(KEPT);
    }

    /// Returns the largest bursts, the largest first.
    pub fn finish(mut self) -> Vec<Burst> {
        self.close();
        self.largest
    }
}

/// Puts the events of all CPUs in the order of their times.
#[derive(Debug, Default)]
pub struct Merger {
    waiting: Vec<Event>,
    /// Events until then have all been read.
    known: u64,
    newest: u64,
}

impl Merger {
    /// Adds an event.
    pub fn add(&mut self, event: Event) {
        self.newest = self.newest.max(event.time);
        self.waiting.push(event);
    }

    /// Must be called after the buffers of all CPUs were read. Calls `each` with the events before
    /// which no others can come. The buffer of a CPU may have been read just before an event that is
    /// older than the newest ones of other CPUs, so these have to wait.
    pub fn all_were_read(&mut self, mut each: impl FnMut(Event)) {
        let quiet = self.newest == self.known;

        self.waiting.sort_by_key(|event| event.time);
        let until = if quiet {
            self.waiting.len()
        } else {
            self.waiting
                .partition_point(|event| event.time <= self.known)
        };
        self.waiting.drain(..until).for_each(&mut each);
        self.known = self.newest;
    }

    /// Calls `each` with all that are left.
    pub fn finish(mut self, mut each: impl FnMut(Event)) {
        self.waiting.sort_by_key(|event| event.time);
        self.waiting.drain(..).for_each(&mut each);
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Merger, Window};
    use proptest::prelude::*;

    fn event(time: u64, pages: u64, who: usize) -> Event {
        Event { time, pages, who }
    }

    #[test]
    fn the_largest_bursts_are_found_with_their_callers() {
        let mut window = Window::new(10);
        for (time, pages, who) in [
            (0, 1, 0),
            (100, 2, 0),
            (105, 8, 1),
            (109, 4, 0),
            (110, 1, 2),
            (300, 3, 2),
        ] {
            window.add(event(time, pages, who));
        }
        let found = window.finish();
        let pages: Vec<u64> = found.iter().map(|burst| burst.pages).collect();
        // At 110 the request of 100 is 10 ago, and does not count any more.
        assert_eq!(pages, [14, 3, 1]);
        assert_eq!(found[0].end, 109);
        assert_eq!(found[0].by, [(1, 8), (0, 6)]);
    }

    #[test]
    fn nothing_is_no_burst() {
        assert!(Window::new(10).finish().is_empty());
    }

    #[test]
    fn cpus_are_merged() {
        let mut merger = Merger::default();
        let mut seen = Vec::new();
        merger.add(event(5, 1, 0));
        merger.add(event(9, 1, 0));
        merger.all_were_read(|event| seen.push(event.time));
        assert!(seen.is_empty());
        merger.add(event(7, 1, 1));
        merger.add(event(12, 1, 1));
        merger.all_were_read(|event| seen.push(event.time));
        assert_eq!(seen, [5, 7, 9]);
        merger.all_were_read(|event| seen.push(event.time));
        assert_eq!(seen, [5, 7, 9, 12]);
        merger.add(event(20, 1, 1));
        merger.finish(|event| seen.push(event.time));
        assert_eq!(seen, [5, 7, 9, 12, 20]);
    }

    proptest! {
        #[test]
        fn no_stretch_has_more(
            gaps in proptest::collection::vec((0u64..30, 1u64..9, 0usize..3), 1..80),
            length in 1u64..60,
        ) {
            let mut time = 0;
            let events: Vec<Event> = gaps.iter().map(|&(gap, pages, who)| {
                time += gap;
                event(time, pages, who)
            }).collect();
            let most = events.iter().map(|last| {
                events.iter()
                    .filter(|e| e.time <= last.time && e.time + length > last.time)
                    .map(|e| e.pages)
                    .sum::<u64>()
            }).max().unwrap();
            let mut window = Window::new(length);
            for &event in &events { window.add(event); }
            let found = window.finish();
            prop_assert_eq!(found[0].pages, most);
            for burst in found {
                prop_assert_eq!(burst.pages, burst.by.iter().map(|&(_, pages)| pages).sum::<u64>());
            }
        }
    }
}
