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

/// What the handler of an interrupt returns: whether that was its own.
#[cfg(labyrinth_since_7_3)]
#[allow(dead_code, reason = "for drivers, such as that in tests/modules/edu")]
pub(super) const fn irq_return(ours: bool) -> bindings::irqreturn_t {
    if ours {
        bindings::irqreturn::IRQ_HANDLED
    } else {
        bindings::irqreturn::IRQ_NONE
    }
}

/// What the handler of an interrupt returns: whether that was its own.
#[cfg(not(labyrinth_since_7_3))]
#[allow(dead_code, reason = "for drivers, such as that in tests/modules/edu")]
pub(super) const fn irq_return(ours: bool) -> bindings::irqreturn_t {
    if ours {
        bindings::irqreturn_IRQ_HANDLED
    } else {
        bindings::irqreturn_IRQ_NONE
    }
}

/// What a PCI driver is told of the entry of its table that the device matched.
#[cfg(labyrinth_since_7_3)]
pub(super) type IdInfo<'a, T> = Option<&'a T>;

/// What a PCI driver is told of the entry of its table that the device matched.
#[cfg(not(labyrinth_since_7_3))]
pub(super) type IdInfo<'a, T> = &'a T;

/// Makes a table of PCI devices.
#[cfg(labyrinth_since_7_3)]
#[allow(
    unused_macros,
    reason = "for drivers, such as that in tests/modules/edu"
)]
macro_rules! pci_table {
    ($table:ident, $module_table:ident, [$id:expr]) => {
        kernel::pci_device_table!($table, (), [($id, ())]);
    };
}

/// Makes a table of PCI devices.
#[cfg(not(labyrinth_since_7_3))]
#[allow(
    unused_macros,
    reason = "for drivers, such as that in tests/modules/edu"
)]
macro_rules! pci_table {
    ($table:ident, $module_table:ident, [$id:expr]) => {
        kernel::pci_device_table!($table, $module_table, (), [($id, ())]);
    };
}
#[allow(
    unused_imports,
    reason = "for drivers, such as that in tests/modules/edu"
)]
pub(crate) use pci_table;

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
