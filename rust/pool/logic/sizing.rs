// SPDX-License-Identifier: GPL-2.0

//! The rule by which a reserve sizes itself.
//!
//! The rule watches the *demand* of each burst: how many pages it took out of the reserve before
//! the reserve was refilled, and how many requests found the reserve empty. These are the requests
//! that neither the cache nor the allocator could serve. The largest demand in a window of time is
//! the *high-water mark* of the window.
//!
//! - **Up at once.** The *need* is never below a demand that was seen. The target is the need and
//!   half as much again, so it grows when a burst has used more than two thirds of the target. If
//!   a request is refused although the reserve had been full, the target at least doubles, because
//!   many drivers stop a burst at the first failure, and then the demand is not known.
//! - **Down slowly.** At the end of each window the need shrinks by a sixteenth of a half-life, but
//!   not below the high-water mark of that window. The target follows in steps of at least a
//!   sixteenth, so that it does not change with every window.
//!
//! Pages are those of the pool's order. All times are in microseconds since any fixed point.

/// The number of windows in a half-life.
const WINDOWS: u64 = 16;

/// Two to the power of -1/16, as a fraction of 2^16: the part of the need that a window leaves.
const LEFT_BY_A_WINDOW: u64 = 62_757;

/// Steps smaller than this part of the target are not worth a change.
const STEPS: usize = 16;

/// The same during a burst, which is often observed many times.
const STEPS_OF_A_BURST: usize = 4;

/// The smallest target above 0, because a reserve of a few pages is not worth its name.
const SMALLEST: usize = 64;

/// The need that the smallest target covers.
const SMALLEST_NEED: usize = SMALLEST * 2 / 3;

/// A need below this is forgotten.
const FORGOTTEN: usize = 16;

/// Half of the refused requests are forgotten after this time. A driver that retries a request
/// counts more than once, so refusals must not add up for longer than a burst takes.
const REFUSALS_FADE_US: u64 = 100_000;

/// The bounds and the pace of a reserve that sizes itself. Its least size is
/// [`PoolConfig::reserve`](crate::pool::PoolConfig::reserve).
///
/// # Examples
///
/// ```
/// use kernel::{prelude::*, sync::Arc};
/// use labyrinth::{
///     context::Task,
///     pool::{AutoReserve, PoolConfig, RegisteredPool},
///     Pool,
/// };
///
/// fn pool_of_a_driver(cx: &Task) -> Result<Arc<RegisteredPool>> {
///     let config = PoolConfig {
///         reserve: 0,
///         auto_reserve: Some(AutoReserve::up_to(16_384)),
///         ..PoolConfig::default()
///     };
///     let pool = Pool::new(cx, c"my_driver", config)?;
///     Ok(pool)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoReserve {
    /// The most pages in the reserve, at least as many as the least size. The pool allocates 8
    /// bytes for each of them when it is made.
    pub max: usize,
    /// The time of calm in milliseconds after which the target is half as large. At least
    /// [`Self::MIN_HALF_LIFE_MS`].
    pub half_life_ms: u32,
}

impl AutoReserve {
    /// The half-life of [`Self::up_to`]: 20 minutes, so that an hour leaves an eighth.
    pub const HALF_LIFE_MS: u32 = 20 * 60 * 1000;

    /// The shortest half-life.
    pub const MIN_HALF_LIFE_MS: u32 = 100;

    /// Returns the bounds of a reserve with at most `max` pages and the usual half-life.
    pub const fn up_to(max: usize) -> Self {
        Self {
            max,
            half_life_ms: Self::HALF_LIFE_MS,
        }
    }
}

/// The reason why a window ended as it did, or why the target grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A burst used more than two thirds of the target.
    NearEnd,
    /// Requests found the reserve empty.
    Refused,
    /// A window has ended, and the need became smaller.
    Calm,
    /// A window with demand has ended, and the target stays.
    Kept,
}

impl Reason {
    /// All reasons; `reason as usize` is the index.
    pub(crate) const ALL: [Self; Self::COUNT] =
        [Self::NearEnd, Self::Refused, Self::Calm, Self::Kept];

    /// How many there are.
    pub(crate) const COUNT: usize = 4;

    /// Returns the name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self.c_name().to_str() {
            Ok(name) => name,
            Err(_) => panic!("a reason has a name that is no UTF-8"),
        }
    }

    /// Returns the name in reports as a C string.
    pub(crate) const fn c_name(self) -> &'static core::ffi::CStr {
        match self {
            Self::NearEnd => c"near_end",
            Self::Refused => c"refused",
            Self::Calm => c"calm",
            Self::Kept => c"kept",
        }
    }
}

/// What is known of a reserve at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// The time.
    pub now: u64,
    /// The pages in the reserve.
    pub level: usize,
    /// The most pages that requests have taken out since the last observation.
    pub drawn: usize,
    /// The number of all requests that found the reserve empty, ever.
    pub refused: u64,
}

/// A decision about the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resize {
    /// The target before.
    pub from: usize,
    /// The target now.
    pub to: usize,
    /// The high-water mark of the window: of the one that has ended, or of the current one.
    pub high_water: usize,
    /// The reason.
    pub reason: Reason,
}

/// The decisions of one observation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// The end of a window, unless nothing happened in it and the target stays.
    pub ended: Option<Resize>,
    /// The growth of the target.
    pub grown: Option<Resize>,
    /// When to observe the reserve even if no request comes; `None` if there is nothing to forget.
    pub due: Option<u64>,
}

/// The state of the rule for one reserve.
#[derive(Clone, Debug)]
pub(crate) struct Sizing {
    least: usize,
    most: usize,
    window_us: u64,
    target: usize,
    /// The demand that the target should cover.
    need: usize,
    /// The highest level since the reserve was last full. The demand is measured from there.
    top: usize,
    /// The level at the last observation.
    level: usize,
    /// Whether the reserve has been full since the target last grew. If not, a refusal does not
    /// show that the target is too small.
    proven: bool,
    /// All refused requests at the last observation.
    refused_ever: u64,
    /// The refused requests that are not forgotten, and when half of them are.
    refused: u64,
    fades_at: u64,
    /// Whether requests were refused since the target last grew.
    was_refused: bool,
    /// The high-water marks of the current window, and of the one before.
    high_water: usize,
    last_high_water: usize,
    /// The end of the current window. There is none while there is nothing to forget.
    window_end: Option<u64>,
    /// How often each reason occurred, and the reason of the last change.
    counts: [u64; Reason::COUNT],
    last_change: Option<Reason>,
}

impl Sizing {
    /// Makes the rule for a reserve of `least` pages or more.
    pub(crate) fn new(least: usize, auto: AutoReserve) -> Self {
        let half_life_ms = auto.half_life_ms.max(AutoReserve::MIN_HALF_LIFE_MS);
        Self {
            least,
            most: auto.max.max(least),
            window_us: u64::from(half_life_ms) * 1000 / WINDOWS,
            target: least,
            need: 0,
            top: 0,
            level: 0,
            proven: least == 0,
            refused_ever: 0,
            refused: 0,
            fades_at: 0,
            was_refused: false,
            high_water: 0,
            last_high_water: 0,
            window_end: None,
            counts: [0; Reason::COUNT],
            last_change: None,
        }
    }

    /// Returns the target.
    pub(crate) fn target(&self) -> usize {
        self.target
    }

    /// Returns the high-water mark of the last window that has ended.
    pub(crate) fn last_high_water(&self) -> usize {
        self.last_high_water
    }

    /// Returns the high-water mark of the current window so far.
    pub(crate) fn high_water(&self) -> usize {
        self.high_water
    }

    /// Returns how often a reason occurred.
    pub(crate) fn count(&self, reason: Reason) -> u64 {
        self.counts[reason as usize]
    }

    /// Returns why the target last changed.
    pub(crate) fn last_change(&self) -> Option<Reason> {
        self.last_change
    }

    /// Observes the reserve, and decides.
    pub(crate) fn observe(&mut self, seen: &Seen) -> Outcome {
        let ended = self.end_windows(seen);
        let grown = self.measure(seen);

        for resize in [ended, grown].into_iter().flatten() {
            self.counts[resize.reason as usize] += 1;
            if resize.from != resize.to {
                self.last_change = Some(resize.reason);
            }
        }
        if self.need == 0 && self.high_water == 0 && self.last_high_water == 0 {
            self.window_end = None;
        } else if self.window_end.is_none() {
            self.window_end = Some(seen.now.saturating_add(self.window_us));
        }
        Outcome {
            ended,
            grown,
            due: self.window_end,
        }
    }

    /// Measures the demand since the last observation, and raises the target if it is too small.
    fn measure(&mut self, seen: &Seen) -> Option<Resize> {
        let refused_now = seen.refused.wrapping_sub(self.refused_ever);
        self.refused_ever = seen.refused;
        self.fade(seen.now, refused_now);

        // Without this condition, a reserve that could not be refilled would show a demand for ever.
        let active = refused_now != 0 || seen.drawn != 0;
        if active {
            let refused = usize::try_from(self.refused).unwrap_or(usize::MAX);
            let low = self.level.saturating_sub(seen.drawn);
            let demand = self.top.saturating_sub(low).saturating_add(refused);
            self.high_water = self.high_water.max(demand);

            let mut need = demand;
            if refused_now != 0 && self.proven {
                need = need.max((self.target * 2).saturating_sub(self.target * 2 / 3));
            }
            if need != 0 {
                // A need beyond the bound would only keep the target up for longer.
                let most = self.most.max(SMALLEST_NEED);
                self.need = self.need.max(need.clamp(SMALLEST_NEED, most));
            }
            self.was_refused |= refused_now != 0;
        }
        let grown = self.grow(active);
        self.level = seen.level;
        self.top = self.top.max(seen.level);
        if seen.level >= self.target {
            // The burst is over.
            self.proven = true;
            self.top = seen.level;
            self.refused = 0;
        }
        grown
    }

    /// Raises the target if it does not fit the need. Small steps wait for the end of the burst.
    fn grow(&mut self, active: bool) -> Option<Resize> {
        let (from, to) = (self.target, self.fitting());
        let steps = if active { STEPS_OF_A_BURST } else { STEPS };
        if to <= from || (to - from < from / steps && to != self.most) {
            return None;
        }
        self.target = to;
        self.proven = false;
        Some(Resize {
            from,
            to,
            high_water: self.high_water,
            reason: if core::mem::take(&mut self.was_refused) {
                Reason::Refused
            } else {
                Reason::NearEnd
            },
        })
    }

    /// Adds refused requests to those that are not forgotten.
    fn fade(&mut self, now: u64, refused_now: u64) {
        if let Some(late) = now.checked_sub(self.fades_at) {
            let times = 1 + late / REFUSALS_FADE_US;
            self.refused = self.refused.checked_shr(times.min(64) as u32).unwrap_or(0);
            self.fades_at = now.saturating_add(REFUSALS_FADE_US);
        }
        if self.refused == 0 {
            // The time begins with the burst.
            self.fades_at = now.saturating_add(REFUSALS_FADE_US);
        }
        self.refused = self.refused.saturating_add(refused_now);
    }

    /// Ends the windows whose time is over. In all of them but the first, nothing happened.
    fn end_windows(&mut self, seen: &Seen) -> Option<Resize> {
        let late = seen.now.checked_sub(self.window_end?)?;
        let windows = 1 + late / self.window_us;
        self.window_end = Some(seen.now - late % self.window_us + self.window_us);

        let high_water = self.high_water;
        self.need = shrunk(self.need, 1).max(high_water.min(self.need));
        self.need = shrunk(self.need, windows - 1);
        if self.need < FORGOTTEN {
            self.need = 0;
        }
        self.last_high_water = if windows == 1 { high_water } else { 0 };
        self.high_water = 0;
        if self.last_high_water == 0 {
            // The burst is over, even if there was no memory to refill the reserve.
            self.top = self.level.min(seen.level);
        }

        let (from, fitting) = (self.target, self.fitting());
        if fitting < from && (fitting == self.least || from - fitting >= from / STEPS) {
            self.target = fitting;
            self.top = self.top.min(fitting);
        }
        if self.target == from && high_water == 0 {
            return None;
        }
        Some(Resize {
            from,
            to: self.target,
            high_water,
            reason: if self.target == from {
                Reason::Kept
            } else {
                Reason::Calm
            },
        })
    }

    /// Returns the target that covers the need.
    fn fitting(&self) -> usize {
        let wanted = match self.need {
            0 => 0,
            need => need.saturating_add(need.div_ceil(2)).max(SMALLEST),
        };
        wanted.clamp(self.least, self.most)
    }
}

/// Returns what a number of windows leave of a need.
fn shrunk(need: usize, windows: u64) -> usize {
    let halves = u32::try_from(windows / WINDOWS).unwrap_or(u32::MAX);
    let halved = (need as u64).checked_shr(halves).unwrap_or(0);
    (0..windows % WINDOWS).fold(halved, |need, _| need * LEFT_BY_A_WINDOW >> 16) as usize
}
