// SPDX-License-Identifier: GPL-2.0

//! A reserve that sizes itself. All of this runs in the refill thread. A request only counts: the
//! counters of the pool say how many requests found the reserve empty, and the reserve notes how
//! many pages requests have taken out.
//!
//! `rust/pool/logic/sizing.rs` has the rule, and `rust/pool/logic/allowance.rs` the share of memory
//! that it may take.

use super::{
    Pool,
    PoolConfig, //
};
use crate::{
    ffi::{
        context::Kind,
        percpu::counters::Counter, //
    },
    page::Usable,
    pool::{
        events,
        logic::{
            allowance::{
                Allowance,
                Available, //
            },
            schedule::Refilled,
            sizing::{
                Reason,
                Seen,
                Sizing, //
            },
            tier::Tier, //
        }, //
    },
    stats::{
        label,
        Label,
        Row, //
    }, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// The time after which a reserve that has its share of the memory tries to get more.
const RETRY_US: u64 = 1_000_000;

const REASON: Label = label!("reason", Reason);

pub(super) static ROWS: [Row<Pool>; 4] = [
    Row::counter(
        "pool_reserve_resizes",
        "Decisions about the target of a reserve that sizes itself.",
        &[REASON],
        |pool, [reason, ..]| pool.sized(|sizing| sizing.count(Reason::ALL[reason])),
    ),
    Row::gauge(
        "pool_reserve_last_resize",
        "1 for the reason why the target of the reserve last changed.",
        &[REASON],
        |pool, [reason, ..]| {
            pool.sized(|sizing| u64::from(sizing.last_change() == Some(Reason::ALL[reason])))
        },
    ),
    Row::gauge(
        "pool_reserve_high_water",
        "Largest demand of a burst on the reserve, in the last window of time and in this one.",
        &[Label::new("window", &["last", "current"])],
        |pool, [window, ..]| {
            pool.sized(|sizing| match window {
                0 => sizing.last_high_water() as u64,
                _ => sizing.high_water() as u64,
            })
        },
    ),
    Row::counter(
        "pool_reserve_withheld",
        "Refills of the reserve that got fewer pages, to leave a quarter of the memory to others.",
        &[],
        |pool, _| pool.resizing.withheld.read(),
    ),
];

/// The state of a reserve that sizes itself. Only the refill thread changes it.
#[pin_data]
pub(super) struct Resizing {
    /// No code allocates while it holds the lock.
    #[pin]
    sizing: Mutex<Option<Sizing>>,
    /// The refills that got fewer pages than they wanted.
    withheld: Counter,
    /// 1 if the last refill got none because the reserve has its share.
    at_share: Counter,
}

impl Resizing {
    /// Makes the state for a pool. Task context only, may sleep.
    pub(super) fn new(config: &PoolConfig) -> impl PinInit<Self> {
        let sizing = config
            .auto_reserve
            .map(|auto| Sizing::new(config.reserve, auto));
        pin_init!(Self {
            sizing <- new_mutex!(sizing),
            withheld: Counter::new(0),
            at_share: Counter::new(0),
        })
    }
}

impl Pool {
    /// Reads a number of the rule, 0 if the reserve has a fixed size. Task context only, may sleep.
    fn sized(&self, number: impl FnOnce(&Sizing) -> u64) -> u64 {
        self.resizing.sizing.lock().as_ref().map_or(0, number)
    }

    /// Lets the rule observe the reserve, and sets the new target. Returns when to call this again
    /// if no request calls the thread before, by the clock of `now` in microseconds. For the refill
    /// thread only.
    pub(in crate::pool) fn resize(&self, now: u64) -> Option<u64> {
        self.config.auto_reserve?;
        let missed = |kind| self.counts.missed(kind, Tier::Reserve);
        let seen = Seen {
            now,
            level: self.reserve().level(),
            drawn: self.reserve().take_drawn(),
            refused: Kind::ALL.into_iter().map(missed).fold(0, u64::wrapping_add),
        };
        let outcome = {
            let mut sizing = self.resizing.sizing.lock();
            let Some(sizing) = &mut *sizing else {
                return None;
            };
            let outcome = sizing.observe(&seen);
            self.reserve().set_target(sizing.target());
            outcome
        };
        let mut due = outcome.due;
        for resize in [outcome.ended, outcome.grown].into_iter().flatten() {
            events::resized(&self.name, &resize);
            if resize.from != resize.to {
                due = Some(now);
            }
        }
        let retry = (self.resizing.at_share.read() != 0).then(|| now.saturating_add(RETRY_US));
        [due, retry].into_iter().flatten().min()
    }

    /// Returns how many of `wanted` pages a reserve with `level` pages may be filled with now. The
    /// error is the outcome of a refill that gets none. For task context.
    ///
    /// The least size of a reserve is what its owner asked for, so it has no such limit.
    pub(in crate::pool) fn may_fill(&self, level: usize, wanted: usize) -> Result<usize, Refilled> {
        if self.config.auto_reserve.is_none() {
            return Ok(wanted);
        }
        self.resizing.at_share.set(0);
        let free_to_fill = self.config.reserve.saturating_sub(level);
        if wanted <= free_to_fill {
            return Ok(wanted);
        }
        let usable = Usable::now(self.config.place, self.config.shape().zones);
        let available = Available {
            free: usable.above_min,
            reclaimable: usable.reclaimable,
            at_once: usable.at_once,
        };
        let order = self.config.order;
        let (allowed, otherwise) = match available.allowance(level << order) {
            Allowance::Pages(pages) => (pages >> order, Refilled::Starved),
            Allowance::Later => (0, Refilled::Starved),
            // The pool has all that it may have, so that its budget can be restored.
            Allowance::Nothing => (0, Refilled::Full),
        };
        let allowed = wanted.min(allowed.max(free_to_fill));
        self.resizing.withheld.add(u64::from(allowed < wanted));
        if allowed != 0 {
            return Ok(allowed);
        }
        let at_share = otherwise == Refilled::Full;
        self.resizing.at_share.set(at_share.into());
        Err(otherwise)
    }
}
