// SPDX-License-Identifier: GPL-2.0

//! The tiers that a pool asks in order.

pub(crate) mod buddy;
pub(crate) mod cache;
pub(crate) mod emergency;
pub(crate) mod reserve;
