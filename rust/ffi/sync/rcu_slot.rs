// SPDX-License-Identifier: GPL-2.0

//! A slot for one value that code in any context can reach without a reference, while the value is
//! published.
//!
//! Readers take no lock. RCU keeps the value in memory while it is in use.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use crate::ffi::context::with_task;
use core::ptr;
use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        rcu, //
    }, //
};

/// A slot for one value, for use as a `static`.
///
/// # Invariants
///
/// The pointer is null or that of a value that `publish` has boxed. Only the task that takes the
/// value out frees it, after a grace period of RCU.
pub struct RcuSlot<T: Send + Sync + 'static>(Atomic<*mut T>);

impl<T: Send + Sync + 'static> RcuSlot<T> {
    /// Makes an empty slot.
    #[allow(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> Self {
        // INVARIANT: Null.
        Self(Atomic::new(ptr::null_mut()))
    }

    /// Publishes a value until the result is dropped. Task context only, may sleep. Fails with
    /// `EBUSY` if there is a value already, and with `ENOMEM` if there is no memory.
    pub fn publish(&'static self, value: T) -> Result<Publication<T>> {
        let value = KBox::into_raw(KBox::new(value, GFP_KERNEL)?);

        // INVARIANT: A boxed value.
        if self.0.cmpxchg(ptr::null_mut(), value, Full).is_err() {
            // SAFETY: Boxed above, and not published.
            drop(unsafe { KBox::from_raw(value) });
            return Err(EBUSY);
        }
        Ok(Publication(self))
    }

    /// Runs `work` with the value, if there is one. Any context, NMI included, if `work` may run
    /// there.
    ///
    /// `work` must not sleep. It is `Send`, and so are the value and the result, so it can reach no
    /// token that allows sleeping, and [`with_task`] gives it none. `CONFIG_PROVE_LOCKING` reports
    /// functions that sleep without a token.
    #[inline]
    pub fn with<R: Send>(&self, work: impl FnOnce(&T) -> R + Send) -> Option<R> {
        let _guard = rcu::read_lock();
        // SAFETY: By the invariant null or a boxed value. A value is freed only after a grace
        // period that begins when it was taken out, so not before `_guard` is dropped. No code
        // writes to it.
        unsafe { self.0.load(Acquire).as_ref() }.map(work)
    }
}

/// A published value, owned by the code that has published it. Dropping this takes the value out of
/// the slot and waits for its readers: task context only, sleeps. In a context that may not sleep,
/// above all in [`RcuSlot::with`] itself, the value is leaked instead.
///
/// # Invariants
///
/// The value was published when this was made, and stays in the slot until this is dropped.
pub struct Publication<T: Send + Sync + 'static>(&'static RcuSlot<T>);

impl<T: Send + Sync + 'static> Drop for Publication<T> {
    fn drop(&mut self) {
        // INVARIANT: Null. This task must now free the value.
        let value = self.0 .0.xchg(ptr::null_mut(), Full);
        let waited = with_task(|_| {
            // SAFETY: The token proves task context and no RCU read-side critical section.
            unsafe { bindings::synchronize_rcu() };
        });
        if waited.is_ok() {
            // SAFETY: By the invariant `publish` has boxed it; a grace period has passed since it
            // was last reachable.
            drop(unsafe { KBox::from_raw(value) });
        }
    }
}
