// SPDX-License-Identifier: GPL-2.0

//! What can be tuned, within bounds.

use core::ops::RangeInclusive;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};
use labyrinth::pool::Priority;

/// Something that can be tuned while an exercise runs.
#[derive(Clone, Copy)]
pub(crate) enum Setting {
    /// Time from the start of one cycle to the start of the next, in microseconds. What the cycle
    /// takes and holds makes it longer if need be.
    PeriodUs,
    /// Pages in a batch.
    Batch,
    /// Time that a batch is held before it is freed, in microseconds.
    HoldUs,
    /// 1 if pages come from the pool, 0 if straight from the buddy allocator.
    Pool,
    /// The index in [`Priority::ALL`] of its requests to the pool.
    Priority,
    /// 1 if pages have guards around what is written to them.
    Guard,
}

impl Setting {
    /// All settings; `setting as usize` is the index.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::PeriodUs,
        Self::Batch,
        Self::HoldUs,
        Self::Pool,
        Self::Priority,
        Self::Guard,
    ];

    /// How many there are.
    pub(crate) const COUNT: usize = 6;

    /// The values that it can have.
    pub(crate) const fn bounds(self) -> RangeInclusive<u32> {
        match self {
            Self::PeriodUs => 100..=10_000_000,
            Self::Batch => 1..=MAX_BATCH as u32,
            Self::HoldUs => 0..=10_000_000,
            Self::Pool | Self::Guard => 0..=1,
            Self::Priority => 0..=(Priority::COUNT - 1) as u32,
        }
    }

    /// The name in reports, parameters and file names.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PeriodUs => "period_us",
            Self::Batch => "batch",
            Self::HoldUs => "hold_us",
            Self::Pool => "pool",
            Self::Priority => "priority",
            Self::Guard => "guard",
        }
    }

    /// Checks a value against the bounds. `ERANGE` if it is outside.
    pub(crate) fn check(self, value: u64) -> Result<u32> {
        u32::try_from(value)
            .ok()
            .filter(|value| self.bounds().contains(value))
            .ok_or(ERANGE)
    }
}

/// The largest batch.
pub(super) const MAX_BATCH: usize = 4096;

/// The settings of one exercise.
///
/// # Invariants
///
/// Every value is within the bounds of its setting.
pub(crate) struct Settings([Atomic<u32>; Setting::COUNT]);

impl Settings {
    /// Makes settings from values in the order of [`Setting::ALL`].
    ///
    /// Returns the first setting that is out of bounds as the error.
    pub(crate) fn new(values: [u32; Setting::COUNT]) -> Result<Self, Setting> {
        for (setting, value) in Setting::ALL.into_iter().zip(values) {
            setting.check(value.into()).map_err(|_| setting)?;
        }
        // INVARIANT: Just checked.
        Ok(Self(values.map(Atomic::new)))
    }

    /// The value of a setting. Any context.
    pub(crate) fn get(&self, setting: Setting) -> u32 {
        self.0[setting as usize].load(Relaxed)
    }

    /// Changes a setting; it takes effect with the next cycle. `ERANGE` when out of bounds.
    pub(crate) fn set(&self, setting: Setting, value: u64) -> Result {
        // INVARIANT: `check` lets only values within the bounds pass.
        self.0[setting as usize].store(setting.check(value)?, Relaxed);
        Ok(())
    }

    /// The batch as a number of pages.
    pub(crate) fn batch(&self) -> usize {
        self.get(Setting::Batch) as usize
    }

    /// How much requests to the pool matter.
    pub(crate) fn priority(&self) -> Priority {
        // By the invariant there is such a priority.
        *Priority::ALL
            .get(self.get(Setting::Priority) as usize)
            .unwrap_or(&Priority::High)
    }

    /// Whether pages have guards.
    pub(crate) fn guard(&self) -> bool {
        self.get(Setting::Guard) != 0
    }

    /// How long to hold a batch, in microseconds.
    pub(crate) fn hold_us(&self) -> u32 {
        self.get(Setting::HoldUs)
    }
}
