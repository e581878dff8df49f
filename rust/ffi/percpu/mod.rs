// SPDX-License-Identifier: GPL-2.0

//! Per-CPU values.

pub(crate) mod cell;
pub(crate) mod counters;
pub(crate) mod stack;
