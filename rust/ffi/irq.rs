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
/// Any context. No token of an outer context is within reach of `section`; it gets an [`IrqsOff`]
/// instead. The section must be short: nothing else happens on this CPU meanwhile.
///
/// What `section` captures and returns is [`Send`], which neither tokens are nor the kernel crate's
/// guards, of locks or of disabled interrupts. So none of them crosses the borders of the section.
#[inline]
pub(crate) fn irqs_off<C: Context, R: Send>(
    _outer: &mut C,
    section: impl FnOnce(&IrqsOff) -> R + Send,
) -> R {
    let saved = interrupts::disable();
    // SAFETY: Interrupts stay disabled until after the token's last use, whatever safe code `section`
    // is. It cannot end a `LocalInterruptDisabled` of the kernel crate's that was there before, as it
    // has none: neither captured, since it is `Send`, nor by way of a lock of ours, whose values are
    // `Send`, too. (It would not enable interrupts either: the kernel counts ours and that one, see
    // `compat`.) One that it makes itself ends with interrupts disabled, as it has found them. Sleeping
    // would enable them: a mistake that no type keeps out, see `rust/SOUNDNESS.md`.
    let cx = unsafe { IrqsOff::assume() };

    let result = section(&cx);

    // SAFETY: From the call above, on the same CPU: with interrupts disabled no task is moved. What
    // `section` made of the kernel crate's guards is gone, as its result and what it captures are
    // `Send`. One that it leaked (`mem::forget`) is counted by the kernels that have such guards, and
    // goes on keeping interrupts disabled.
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
