// SPDX-License-Identifier: GPL-2.0

//! Keeps the period of an exercise.

use super::{
    Setting,
    Settings, //
};
use labyrinth::time::Moment;

/// The time since a cycle began.
pub(super) struct Pace(Moment);

impl Pace {
    /// A cycle begins now.
    pub(super) fn begin() -> Self {
        Self(Moment::now())
    }

    /// Returns how long to rest so that the next cycle begins one period after this one, in
    /// microseconds.
    ///
    /// It is at least `share` times as long as the cycle has worked, that is, was not holding its
    /// batch. So settings whose work takes longer than the period leave a share of the CPU to
    /// others.
    pub(super) fn rest_us(&self, settings: &Settings, held_us: u32, share: u32) -> u32 {
        let elapsed = Moment::now().nanos_since(self.0) / 1000;
        let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
        let longest = *Setting::PeriodUs.bounds().end();

        settings.period_us().saturating_sub(elapsed).max(
            elapsed
                .saturating_sub(held_us)
                .saturating_mul(share)
                .min(longest),
        )
    }
}
