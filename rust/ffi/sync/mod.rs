// SPDX-License-Identifier: GPL-2.0

//! Locks, and values that are reachable from any context.

pub(crate) mod handles;
pub(crate) mod rcu_slot;
pub(super) mod saturating;
pub(crate) mod spin_lock;
