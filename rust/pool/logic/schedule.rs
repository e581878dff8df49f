// SPDX-License-Identifier: GPL-2.0

//! The schedule of refills: which pool has its turn, and when the next round is due.
//!
//! All times are in microseconds since any fixed point.

/// The result of refilling a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// One round over all pools. A starved pool rests; the others do not wait for it.
#[derive(Default)]
pub(crate) struct RefillSchedule {
    /// When the next round is due if no pool calls.
    next: Option<u64>,
}

impl RefillSchedule {
    /// Gives a pool its turn, unless it still rests. Returns until when it rests from now on, 0 if
    /// not at all.
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
                // From now on, and twice as long as was tried: what is not there must not be looked
                // for most of the time, however slow the machine is.
                let tried = now();
                let rest = tried.saturating_sub(start).saturating_mul(2);
                let end = tried.saturating_add(rest.clamp(REST_US, LONGEST_REST_US));
                self.due(end);
                end
            }
        }
    }

    /// Returns when the next round is due if no pool calls before. A time in the past means at
    /// once, `None` means never.
    pub(crate) fn next(&self) -> Option<u64> {
        self.next
    }

    /// Makes the next round due at `time` or earlier.
    pub(crate) fn due(&mut self, time: u64) {
        self.next = Some(self.next.map_or(time, |next| next.min(time)));
    }
}
