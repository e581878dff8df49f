// SPDX-License-Identifier: GPL-2.0

//! Switching off the interrupts of this CPU.
//!
//! C header: [`include/linux/irqflags.h`](srctree/include/linux/irqflags.h)

use super::{
    context::{
        Context,
        IrqsOff, //
    },
    helpers, //
};

/// Runs `section` with the interrupts of this CPU disabled, and restores them to what they were.
///
/// Any context. The outer context's token is out of reach while `section` runs; it gets an
/// [`IrqsOff`] instead. The section must be short: nothing else happens on this CPU meanwhile.
#[inline]
pub(crate) fn irqs_off<C: Context, R>(_outer: &mut C, section: impl FnOnce(&IrqsOff) -> R) -> R {
    // SAFETY: Restored below, on the same CPU: nobody is moved to another one meanwhile.
    let flags = unsafe { helpers::labyrinth_irq_save() };
    // SAFETY: Interrupts stay disabled until after the token's last use.
    let cx = unsafe { IrqsOff::assume() };

    let result = section(&cx);

    // SAFETY: `flags` comes from the call above; `section` has undone what it did.
    unsafe { helpers::labyrinth_irq_restore(flags) };
    result
}

/// Whether the interrupts of this CPU are disabled. Any context.
pub(crate) fn are_off() -> bool {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_irqs_disabled() }
}

/// Whether this is a hard interrupt. Any context.
#[cfg(CONFIG_KUNIT = "y")]
pub(crate) fn being_served() -> bool {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_in_hardirq() }
}
