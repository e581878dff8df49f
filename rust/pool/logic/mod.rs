// SPDX-License-Identifier: GPL-2.0

//! The part of the page sources that needs no kernel: no page, no lock, no context.
//!
//! A test on the host includes this folder, so nothing here may use the `kernel` crate or another
//! part of labyrinth.

pub(crate) mod excluded;
pub(crate) mod fallback;
pub(crate) mod page_source;
pub(crate) mod request;
pub(crate) mod schedule;
pub(crate) mod stack;
pub(crate) mod target;
