// SPDX-License-Identifier: GPL-2.0

//! Values of each CPU.

pub(crate) mod cell;
pub(crate) mod counters;
