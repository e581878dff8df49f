// SPDX-License-Identifier: GPL-2.0

//! The settings of an exercise, within bounds.

use core::ops::RangeInclusive;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};
use labyrinth::pool::Priority;

/// Hands the table of settings to the macro `$then`, before `$arguments`.
///
/// A row has the name of the setting, its variant of [`Setting`], its bounds, its default, and the
/// description of its module parameters. All are literal, because `module!` needs them so.
macro_rules! settings {
    ($then:ident $($arguments:tt)*) => {
        $then! {
            [
                period_us: PeriodUs(100, 10_000_000) = 10_000,
                    "period in microseconds (100 to 10000000)";
                batch: Batch(1, 4096) = 16,
                    "pages in a batch (1 to 4096)";
                hold_us: HoldUs(0, 10_000_000) = 0,
                    "how long a batch is held, in microseconds (0 to 10000000)";
                pool: Pool(0, 1) = 0,
                    "whether pages come from the pool (0 or 1)";
                priority: Priority(0, 2) = 2,
                    "priority of requests to the pool (0: low, 1: normal, 2: high)";
                guard: Guard(0, 1) = 0,
                    "whether pages have guards (0 or 1)";
            ]
            $($arguments)*
        }
    };
}
pub(crate) use settings;

/// Makes [`Setting`].
macro_rules! table {
    ([$($name:ident: $variant:ident($low:tt, $high:tt) = $_default:tt, $text:tt;)*]) => {
        /// Something that can be tuned while an exercise runs.
        #[derive(Clone, Copy)]
        pub(crate) enum Setting {
            $(#[doc = $text] $variant,)*
        }

        impl Setting {
            /// All settings; `setting as usize` is the index.
            pub(crate) const ALL: [Self; Self::COUNT] = [$(Self::$variant),*];

            /// How many there are.
            pub(crate) const COUNT: usize = [$(stringify!($name)),*].len();

            /// The values that it can have.
            pub(crate) const fn bounds(self) -> RangeInclusive<u32> {
                match self {
                    $(Self::$variant => $low..=$high,)*
                }
            }

            /// The name in parameters and file names.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)*
                }
            }
        }
    };
}
settings!(table);

impl Setting {
    /// Checks a value against the bounds. `ERANGE` if it is outside.
    pub(crate) fn check(self, value: u64) -> Result<u32> {
        u32::try_from(value)
            .ok()
            .filter(|value| self.bounds().contains(value))
            .ok_or(ERANGE)
    }
}

/// The largest batch.
pub(super) const MAX_BATCH: usize = *Setting::Batch.bounds().end() as usize;

const _: () = assert!(*Setting::Priority.bounds().end() as usize == Priority::COUNT - 1);

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

    /// The time from the start of one cycle to the start of the next, in microseconds. A cycle that
    /// takes longer makes it longer.
    pub(super) fn period_us(&self) -> u32 {
        self.get(Setting::PeriodUs)
    }

    /// The batch as a number of pages.
    pub(super) fn batch(&self) -> usize {
        self.get(Setting::Batch) as usize
    }

    /// The priority of requests to the pool.
    pub(super) fn priority(&self) -> Priority {
        // By the invariant there is such a priority.
        *Priority::ALL
            .get(self.get(Setting::Priority) as usize)
            .unwrap_or(&Priority::High)
    }

    /// Whether pages have guards.
    pub(super) fn guard(&self) -> bool {
        self.get(Setting::Guard) != 0
    }

    /// How long to hold a batch, in microseconds.
    pub(super) fn hold_us(&self) -> u32 {
        self.get(Setting::HoldUs)
    }
}
