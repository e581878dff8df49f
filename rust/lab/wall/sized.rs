// SPDX-License-Identifier: GPL-2.0

//! A pool whose reserve sizes itself, which serves bursts of any size.

use super::{
    burst::Work,
    chain::{
        Chain,
        Fate, //
    },
    record::Record,
    runner::{
        in_softirq,
        Home, //
    }, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};
use labyrinth::{
    context::Task,
    pool::AutoReserve, //
};

/// The largest burst, and the largest bound, in pages.
pub(crate) const MAX_PAGES: u64 = 65_536;

/// The part of the experiment about a reserve that sizes itself. It holds no memory until it has a
/// bound.
#[pin_data]
pub(crate) struct Sized {
    #[pin]
    state: Mutex<State>,
}

struct State {
    half_life_ms: u32,
    bound: u64,
    home: Option<Arc<Home<Chain>>>,
}

/// The reserve now, in pages.
#[derive(Clone, Copy)]
pub(crate) struct Now {
    /// The pages in it.
    pub(crate) level: u64,
    /// Its target.
    pub(crate) target: u64,
}

impl Sized {
    /// Makes this part without a pool.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- new_mutex!(State {
                half_life_ms: AutoReserve::HALF_LIFE_MS,
                bound: 0,
                home: None,
            }),
        })
    }

    /// Makes a new pool, whose reserve has no pages at first and at most `bound` later. 0 frees all
    /// memory. Task context only, sleeps. Fails with `ERANGE` for a number out of bounds.
    pub(crate) fn set_bound(&self, cx: &Task, bound: u64) -> Result {
        if bound > MAX_PAGES {
            return Err(ERANGE);
        }
        let mut state = self.state.lock();
        (state.home, state.bound) = (None, 0);
        if bound != 0 {
            let auto = AutoReserve {
                max: bound as usize,
                half_life_ms: state.half_life_ms,
            };
            let chain = Chain::sized(cx, c"wall_sized", MAX_PAGES as usize, auto, Fate::Return)?;
            (state.home, state.bound) = (Some(Home::new(chain)?), bound);
        }
        Ok(())
    }

    /// Returns the bound, 0 if there is no pool. Task context only, may sleep.
    pub(crate) fn bound(&self) -> u64 {
        self.state.lock().bound
    }

    /// Sets the half-life of pools that are made later. Fails with `ERANGE` for a number out of
    /// bounds. Task context only, may sleep.
    pub(crate) fn set_half_life_ms(&self, half_life_ms: u64) -> Result {
        let half_life_ms = u32::try_from(half_life_ms).map_err(|_| ERANGE)?;
        if half_life_ms < AutoReserve::MIN_HALF_LIFE_MS {
            return Err(ERANGE);
        }
        self.state.lock().half_life_ms = half_life_ms;
        Ok(())
    }

    /// Returns that half-life. Task context only, may sleep.
    pub(crate) fn half_life_ms(&self) -> u32 {
        self.state.lock().half_life_ms
    }

    /// Runs a burst of `pages` requests, and does not wait for a refill. Task context only, sleeps.
    /// Fails with `ERANGE` for a number out of bounds, `ENXIO` if there is no pool, and `EBUSY`
    /// during another burst.
    pub(crate) fn burst(&self, cx: &Task, pages: u64) -> Result {
        if !(1..=MAX_PAGES).contains(&pages) {
            return Err(ERANGE);
        }
        in_softirq(cx, &self.home()?, Work::Burst(pages as u32))
    }

    /// Returns the reserve now. Task context only, may sleep. Fails as [`Self::burst`] does.
    pub(crate) fn now(&self) -> Result<Now> {
        self.home()?.with(|job| {
            let reserve = job.contestant.reserve();
            Now {
                level: reserve.level() as u64,
                target: reserve.target().pages() as u64,
            }
        })
    }

    /// Calls `look` with the record of the bursts. Task context only, may sleep. Fails as
    /// [`Self::burst`] does.
    pub(crate) fn with_record<R>(&self, look: impl FnOnce(&Record) -> R) -> Result<R> {
        self.home()?.with(|job| look(&job.record))
    }

    fn home(&self) -> Result<Arc<Home<Chain>>> {
        self.state.lock().home.clone().ok_or(ENXIO)
    }
}
