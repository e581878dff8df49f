// SPDX-License-Identifier: GPL-2.0

//! Whose turn it is to be refilled, and how long there is nothing to do.
//!
//! All times are in microseconds since any one point.

/// What refilling a pool came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refilled {
    /// Nothing is missing.
    Full,
    /// There is more to do.
    Partly,
    /// There is no memory.
    Starved,
}

/// How long a pool rests at least for which there was no memory.
pub(crate) const REST_US: u64 = 10_000;

/// And at most.
pub(crate) const LONGEST_REST_US: u64 = 1_000_000;

/// One round over all pools. A pool that is starved rests; the others do not wait for it.
#[derive(Default)]
pub(crate) struct Round {
    /// When the next round is due without a call.
    next: Option<u64>,
}

impl Round {
    /// Gives a pool its turn, unless it rests until later than now. Returns until when it is to rest
    /// from now on, 0 if not at all.
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

    /// When the next round is due, if nobody calls before: in the past for at once, `None` for never.
    pub(crate) fn next(&self) -> Option<u64> {
        self.next
    }

    /// Makes the next round begin at `time` or earlier.
    pub(crate) fn due(&mut self, time: u64) {
        self.next = Some(self.next.map_or(time, |next| next.min(time)));
    }
}
