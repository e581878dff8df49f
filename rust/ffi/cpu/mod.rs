// SPDX-License-Identifier: GPL-2.0

//! CPU masks and CPU hotplug.

pub(crate) mod each_cpu;
pub(crate) mod hotplug;
pub(crate) mod online;
