// SPDX-License-Identifier: GPL-2.0

//! A value that code anywhere can reach, without being handed it, for as long as it is published.
//!
//! Reaching it takes no lock: RCU keeps the value in memory for as long as somebody uses it.
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

/// Room for one value, fit for a `static`.
///
/// # Invariants
///
/// The pointer is null or that of a value that was boxed by `publish` and is freed only by who
/// takes it out, after a grace period of RCU.
pub struct RcuSlot<T: Send + Sync + 'static>(Atomic<*mut T>);

impl<T: Send + Sync + 'static> RcuSlot<T> {
    /// Room without a value.
    #[allow(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> Self {
        // INVARIANT: Null.
        Self(Atomic::new(ptr::null_mut()))
    }

    /// Publishes a value until the result is dropped. Task context only, may sleep. `EBUSY` if
    /// there is one already, `ENOMEM` if there is no memory.
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
    /// It must not sleep. It is `Send`, and so are the value and the result, so it can reach no
    /// token, and [`with_task`] gives it none. `CONFIG_PROVE_LOCKING` reports functions that sleep
    /// without a token.
    #[inline]
    pub fn with<R: Send>(&self, work: impl FnOnce(&T) -> R + Send) -> Option<R> {
        let _guard = rcu::read_lock();
        // SAFETY: By the invariant null or a boxed value, which is not freed before a grace period
        // has passed since it was taken out, that is not before `_guard` is dropped. Nobody writes
        // to it.
        unsafe { self.0.load(Acquire).as_ref() }.map(work)
    }
}

/// That a value is published. Dropping it waits for those who use the value: task context only,
/// sleeps. Where it may not sleep, above all in [`RcuSlot::with`] itself, the value is leaked
/// instead.
///
/// # Invariants
///
/// The value was published by whoever made this, and is there until this is dropped.
pub struct Publication<T: Send + Sync + 'static>(&'static RcuSlot<T>);

impl<T: Send + Sync + 'static> Drop for Publication<T> {
    fn drop(&mut self) {
        // INVARIANT: Null, and it is now on us to free the value.
        let value = self.0 .0.xchg(ptr::null_mut(), Full);
        let waited = with_task(|_| {
            // SAFETY: Task context and no RCU read-side section, as there is a token.
            unsafe { bindings::synchronize_rcu() };
        });
        if waited.is_ok() {
            // SAFETY: By the invariant `publish` has boxed it; a grace period has passed since
            // nobody could find it any more.
            drop(unsafe { KBox::from_raw(value) });
        }
    }
}
