// SPDX-License-Identifier: GPL-2.0

//! The clock and timers.

pub(crate) mod clock;
pub(crate) mod timer;
