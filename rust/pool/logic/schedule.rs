// SPDX-License-Identifier: GPL-2.0

//! The schedule of refills. It decides which pools have a turn, and when the next round is due.
//!
//! All times are in microseconds since any fixed point.

/// The result of refilling a pool or a tier, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refilled {
    /// The pool is full.
    Full,
    /// More pages are missing.
    Partly,
    /// Memory ran out.
    Starved,
}

/// The shortest rest of a pool after memory ran out.
pub(crate) const REST_US: u64 = 10_000;

/// The longest rest.
pub(crate) const LONGEST_REST_US: u64 = 1_000_000;

/// One round over all pools. A pool for which memory ran out rests. The others do not wait for it.
#[derive(Default)]
pub(crate) struct RefillSchedule {
    /// When the next round is due if no pool calls.
    next: Option<u64>,
}

impl RefillSchedule {
    /// Gives a pool its turn, unless it still rests. Returns the end of its next rest, 0 if it does
    /// not rest.
    pub(crate) fn turn(
        &mut self,
        rests_until: u64,
        now: impl Fn() -> u64,
        refill: impl FnOnce() -> Refilled,
    ) -> u64 {
        let start = now();
        if start < rests_until {
            self.due(rests_until);
            return rests_until;
        }
        match refill() {
            Refilled::Full => 0,
            Refilled::Partly => {
                self.due(0);
                0
            }
            Refilled::Starved => {
                // The pool rests twice as long as the attempt took, so that futile attempts take at
                // most a third of the time, even on slow machines.
                let tried = now();
                let rest = tried.saturating_sub(start).saturating_mul(2);
                let end = tried.saturating_add(rest.clamp(REST_US, LONGEST_REST_US));
                self.due(end);
                end
            }
        }
    }

    /// Returns when the next round is due if no pool calls before. If the time has passed, the
    /// round is due at once; `None` means never.
    pub(crate) fn next(&self) -> Option<u64> {
        self.next
    }

    /// Makes the next round due at `time` or earlier.
    pub(crate) fn due(&mut self, time: u64) {
        self.next = Some(self.next.map_or(time, |next| next.min(time)));
    }
}
