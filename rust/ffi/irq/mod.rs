// SPDX-License-Identifier: GPL-2.0

//! Sections with the interrupts of this CPU disabled.
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

/// Runs `section` with the interrupts of this CPU disabled, and restores their state afterwards.
///
/// Any context. `section` can reach no token of an outer context; it gets an [`IrqsOff`] instead.
/// It must be short: nothing else happens on this CPU in the meantime.
///
/// Everything that `section` captures or returns is [`Send`]. Tokens are not `Send`, and neither
/// are the kernel crate's guards of locks or of disabled interrupts. So none of them enters or
/// leaves the section.
#[inline]
pub fn irqs_off<C: Context, R: Send>(
    _outer: &mut C,
    section: impl FnOnce(&IrqsOff) -> R + Send,
) -> R {
    let saved = interrupts::disable();
    // SAFETY: Interrupts stay disabled until after the token's last use, whatever safe code
    // `section` is. It cannot end a `LocalInterruptDisabled` of the kernel crate that existed
    // before, as it can reach none: it is `Send` and so captures none, and no lock of ours hides
    // one, since the values in our locks are `Send`, too. (Ending one would not enable interrupts
    // anyway: the kernel counts it and our own section, see `compat`.) If `section` makes one
    // itself, interrupts are still disabled when that one ends. Sleeping would enable interrupts:
    // no type prevents that mistake, see `Documentation/soundness.md`.
    let cx = unsafe { IrqsOff::assume() };

    let result = section(&cx);

    // SAFETY: `saved` comes from the call above, on the same CPU: with interrupts disabled no task
    // is moved. Guards of the kernel crate that `section` made are gone, as its result and its
    // captures are `Send`. If it leaked one (`mem::forget`), the kernel counts that one, and
    // interrupts stay disabled. In a hard interrupt they stay disabled until the interrupt returns.
    unsafe { interrupts::restore(saved) };
    result
}

/// Returns whether the interrupts of this CPU are disabled. Any context.
pub(crate) fn are_off() -> bool {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_irqs_disabled() }
}

/// Returns whether this is a hard interrupt. Any context.
#[cfg(CONFIG_KUNIT = "y")]
pub(crate) fn being_served() -> bool {
    // SAFETY: No requirements.
    unsafe { helpers::labyrinth_in_hardirq() }
}
