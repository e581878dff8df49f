// SPDX-License-Identifier: GPL-2.0

//! CPUs that come and go.

pub(crate) mod each_cpu;
pub(crate) mod hotplug;
pub(crate) mod online;
