// SPDX-License-Identifier: GPL-2.0

//! The part of pools that needs no kernel: it uses neither pages nor locks nor contexts.
//!
//! The host tests include this folder, so it must not use the `kernel` crate or another part of
//! labyrinth.

pub(crate) mod allowance;
pub(crate) mod excluded;
pub(crate) mod fallback;
pub(crate) mod page_source;
pub(crate) mod request;
pub(crate) mod schedule;
pub(crate) mod shares;
pub(crate) mod sizing;
pub(crate) mod stack;
pub(crate) mod target;
pub(crate) mod tier;
