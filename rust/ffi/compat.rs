// SPDX-License-Identifier: GPL-2.0

//! Differences between the kernel versions that labyrinth supports (7.2 and newer), all of them.
//!
//! `Kbuild` sets `labyrinth_since_X_Y` for every kernel from X.Y on.

use kernel::module_param::ModuleParamAccess;

/// The value of a module parameter.
#[cfg(labyrinth_since_7_3)]
pub(crate) fn parameter<T: Copy>(parameter: &ModuleParamAccess<T>) -> T {
    parameter.value()
}

/// The value of a module parameter.
#[cfg(not(labyrinth_since_7_3))]
pub(crate) fn parameter<T: Copy>(parameter: &ModuleParamAccess<T>) -> T {
    *parameter.value()
}
