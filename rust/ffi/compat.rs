// SPDX-License-Identifier: GPL-2.0

//! Differences between the kernel versions that labyrinth supports (7.2 and newer), all of them.
//!
//! `Kbuild` sets `labyrinth_since_X_Y` for every kernel from X.Y on.

use kernel::{
    bindings,
    module_param::ModuleParamAccess, //
};

/// What the function of an hrtimer returns: whether the timer is armed again.
#[cfg(labyrinth_since_7_3)]
pub(super) const fn hrtimer_restart(again: bool) -> bindings::hrtimer_restart {
    if again {
        bindings::hrtimer_restart::HRTIMER_RESTART
    } else {
        bindings::hrtimer_restart::HRTIMER_NORESTART
    }
}

/// What the function of an hrtimer returns: whether the timer is armed again.
#[cfg(not(labyrinth_since_7_3))]
pub(super) const fn hrtimer_restart(again: bool) -> bindings::hrtimer_restart {
    if again {
        bindings::hrtimer_restart_HRTIMER_RESTART
    } else {
        bindings::hrtimer_restart_HRTIMER_NORESTART
    }
}

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
