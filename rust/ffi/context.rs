// SPDX-License-Identifier: GPL-2.0

//! Proof of the context that code runs in, as zero-sized tokens.
//!
//! # Vocabulary
//!
//! - A *context* says what code may do: sleep (task), or not (softirq, under a spinlock).
//! - A *token* is a value of a type that implements [`Context`]. Whoever has a reference to one is
//!   in that context for as long as the reference lives. Tokens are made by the wrapper that
//!   enters the context ([`timer`](super::timer), [`thread`](super::thread),
//!   [`lock`](super::lock)), never by its user.
//!
//! ```text
//!   Thread body ──► &mut Task ────┐
//!                                 ├── SpinLockBh::with ──► &SpinLocked
//!   Timer expires ─► &mut Softirq ┘
//! ```
//!
//! A lock borrows the outer token mutably for as long as it is held, so that inside the critical
//! section only the inner token is within reach: code there cannot claim that it may sleep.
//!
//! The tokens know of labyrinth's own wrappers only. A guard of the kernel crate (`SpinLock`, RCU)
//! taken meanwhile makes the context stricter unseen, and functions that sleep without asking for a
//! token stay callable; `CONFIG_DEBUG_ATOMIC_SLEEP` finds both at run time.
//!
//! The pattern is the one of the kernel crate's `LocalInterruptDisabled` (since Linux 7.3).
//! C background: [`include/linux/preempt.h`](srctree/include/linux/preempt.h).

use kernel::types::NotThreadSafe;

/// A proof of context.
///
/// # Safety
///
/// A reference to a value of an implementing type must be obtainable only by code that runs in the
/// context that the type stands for, as far as labyrinth's own wrappers make it, and only for as long
/// as it does. While a wrapper that enters a stricter context borrows the value mutably, that context
/// counts.
pub(crate) unsafe trait Context {}

/// A context that may sleep.
///
/// # Safety
///
/// As for [`Context`], and the context must allow sleeping: no spinlock of labyrinth held, no softirq
/// or hard interrupt being served.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is atomic context, which may not sleep",
    label = "this needs a context that may sleep",
    note = "use an allocation flag that does not sleep, such as `Atomic`"
)]
pub(crate) unsafe trait MaySleep: Context {}

/// Task (process) context: may sleep.
///
/// # Invariants
///
/// Exists only while the current task runs in a context that may sleep.
pub(crate) struct Task(NotThreadSafe);

/// Softirq context: may not sleep. On PREEMPT_RT this is a thread with bottom halves disabled.
///
/// # Invariants
///
/// Exists only while a softirq is being served on this CPU.
pub(crate) struct Softirq(NotThreadSafe);

/// Inside a critical section of a spinlock: may not sleep, whatever the context around it.
///
/// On PREEMPT_RT a `spinlock_t` is a sleeping lock and page allocation is fine under it; under a
/// `raw_spinlock_t` it would not be, and no token stands for that.
///
/// # Invariants
///
/// Exists only while this CPU (PREEMPT_RT: this thread) holds a spinlock.
pub(crate) struct SpinLocked(NotThreadSafe);

impl Task {
    /// Asserts that the current context may sleep.
    ///
    /// # Safety
    ///
    /// The current context must be allowed to sleep for as long as the token exists, except where
    /// it is mutably borrowed to stand for a stricter context.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

impl Softirq {
    /// Asserts that a softirq is being served.
    ///
    /// # Safety
    ///
    /// A softirq must be being served on this CPU for as long as the token exists.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

impl SpinLocked {
    /// Asserts that a spinlock is held.
    ///
    /// # Safety
    ///
    /// The current CPU must hold a `spinlock_t` for as long as the token exists.
    pub(in crate::ffi) unsafe fn assume() -> Self {
        // INVARIANT: The caller promises exactly this.
        Self(NotThreadSafe)
    }
}

// SAFETY: Made only by `assume`, whose callers promise the context; `NotThreadSafe` keeps the token
// from being sent or shared elsewhere.
unsafe impl Context for Task {}
// SAFETY: As above.
unsafe impl Context for Softirq {}
// SAFETY: As above.
unsafe impl Context for SpinLocked {}

// SAFETY: By its invariant `Task` stands for a context that may sleep.
unsafe impl MaySleep for Task {}
