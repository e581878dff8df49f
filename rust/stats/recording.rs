// SPDX-License-Identifier: GPL-2.0

//! The choice of what is recorded.

use kernel::prelude::*;

/// The recording mode: the parts of a request that are recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// Nothing.
    Off = 0,
    /// Its outcome and its latency.
    Full = 1,
    /// Its outcome; the clock is not read.
    Counters = 2,
}

impl Recording {
    /// The largest number of a variant.
    pub const MAX: u64 = 2;

    /// Returns the variant with this number, or `ERANGE` if there is none. Any context.
    pub fn from_number(number: u64) -> Result<Self> {
        match number {
            0 => Ok(Self::Off),
            1 => Ok(Self::Full),
            2 => Ok(Self::Counters),
            _ => Err(ERANGE),
        }
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Full => "on",
            Self::Counters => "counters only",
        }
    }
}
