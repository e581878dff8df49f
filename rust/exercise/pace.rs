// SPDX-License-Identifier: GPL-2.0

//! Keeping the period.

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

    /// How long to rest so that the next cycle begins one period after this one, in microseconds.
    ///
    /// Never less than the cycle has worked, that is, was not holding: settings whose work is
    /// longer than the period leave half of the CPU to others.
    pub(super) fn rest_us(&self, settings: &Settings, held_us: u32) -> u32 {
        self.rest_of_us(settings, held_us, 1)
    }

    /// As [`Self::rest_us`], but never less than `share` times what the cycle has worked.
    pub(super) fn rest_of_us(&self, settings: &Settings, held_us: u32, share: u32) -> u32 {
        let elapsed = Moment::now().nanos_since(self.0) / 1000;
        let elapsed = u32::try_from(elapsed).unwrap_or(u32::MAX);
        let longest = *Setting::PeriodUs.bounds().end();

        settings.get(Setting::PeriodUs).saturating_sub(elapsed).max(
            elapsed
                .saturating_sub(held_us)
                .saturating_mul(share)
                .min(longest),
        )
    }
}
