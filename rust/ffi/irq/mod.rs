// SPDX-License-Identifier: GPL-2.0

//! Switching off the interrupts of this CPU.
//!
//! C header: [`include/linux/irqflags.h`](srctree/include/linux/irqflags.h)

use super::{
    compat::interrupts,
    context::{
        Context,
        IrqsOff, //
    },
    helpers, //
};

/// Runs `section` with the interrupts of this CPU disabled, and restores them to what they were.
///
/// Any context. `section` can reach no token of an outer context; it gets an [`IrqsOff`] instead.
/// It must be short: nothing else happens on this CPU meanwhile.
///
/// All that `section` captures or returns is [`Send`]. Tokens are not, and neither are the kernel
/// crate's guards of locks or of disabled interrupts. So none of them enters or leaves the section.
#[inline]
pub fn irqs_off<C: Context, R: Send>(
    _outer: &mut C,
    section: impl FnOnce(&IrqsOff) -> R + Send,
) -> R {
    let saved = interrupts::disable();
    // SAFETY: Interrupts stay disabled until after the token's last use, whatever safe code
    // `section` is. It cannot end a `LocalInterruptDisabled` of the kernel crate that was there
    // before, as it can reach none: it captures none, since it is `Send`, and no lock of ours hides
    // one, since their values are `Send`, too. (Ending one would not enable interrupts anyway: the
    // kernel counts it and ours, see `compat`.) If `section` makes one itself, interrupts are still
    // disabled when that one ends. Sleeping would enable them: a mistake that no type prevents, see
    // `Documentation/soundness.md`.
    let cx = unsafe { IrqsOff::assume() };

    let result = section(&cx);

    // SAFETY: From the call above, on the same CPU: with interrupts disabled no task is moved.
    // Guards of the kernel crate that `section` made are gone, as its result and its captures are
    // `Send`. If it leaked one (`mem::forget`), a kernel that has such guards counts it, and keeps
    // interrupts disabled.
    unsafe { interrupts::restore(saved) };
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
