// SPDX-License-Identifier: GPL-2.0

//! A spinlock that task context and softirqs can share.
//!
//! The kernel crate's `SpinLock` leaves bottom halves enabled: a task that holds it can be
//! interrupted by a softirq of the same CPU that then spins for ever. [`SpinLockBh`] disables them
//! (`spin_lock_bh()`). It also turns the holder's context token into [`SpinLocked`], so that code
//! in the critical section cannot claim that it may sleep.
//!
//! Contexts: task and softirq, not hard interrupts, nor with interrupts disabled. On PREEMPT_RT it
//! is a sleeping lock, like every `spinlock_t`.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use crate::ffi::{
    context::{
        IrqsOn,
        SpinLocked, //
    },
    helpers, //
};
use kernel::{
    bindings,
    prelude::*,
    sync::{
        lock::{
            Backend,
            Lock, //
        },
        LockClassKey, //
    }, //
};

/// The `spin_lock_bh()` family as a lock backend.
struct BhBackend;

// SAFETY: `spin_lock_bh` gives mutual exclusion among its users on all CPUs, and by disabling
// bottom halves also against softirqs of the same CPU.
unsafe impl Backend for BhBackend {
    type State = bindings::spinlock_t;
    type GuardState = ();

    unsafe fn init(ptr: *mut Self::State, name: *const c_char, key: *mut bindings::lock_class_key) {
        // SAFETY: The caller promises that `ptr` may be written, and `name` and `key` are valid for
        // as long as the lock is used.
        unsafe { bindings::__spin_lock_init(ptr, name, key) }
    }

    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState {
        // SAFETY: The caller promises that `ptr` was initialised by `init`.
        unsafe { helpers::labyrinth_spin_lock_bh(ptr) }
    }

    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState> {
        // SAFETY: As for `lock`.
        (unsafe { helpers::labyrinth_spin_trylock_bh(ptr) } != 0).then_some(())
    }

    unsafe fn unlock(ptr: *mut Self::State, _guard_state: &Self::GuardState) {
        // SAFETY: The caller promises that the lock is held by it.
        unsafe { helpers::labyrinth_spin_unlock_bh(ptr) }
    }

    #[inline]
    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // SAFETY: As for `lock`.
        unsafe { bindings::spin_assert_is_held(ptr) }
    }
}

/// A value behind a spinlock that disables bottom halves.
#[pin_data]
pub struct SpinLockBh<T> {
    #[pin]
    inner: Lock<T, BhBackend>,
}

impl<T: Unpin> SpinLockBh<T> {
    /// Makes a lock around `value`; `name` and `key` are for lockdep. Any context.
    pub fn new(
        value: T,
        name: &'static CStr,
        key: Pin<&'static LockClassKey>,
    ) -> impl PinInit<Self> {
        pin_init!(Self {
            inner <- Lock::new(value, name, key),
        })
    }

    /// Runs `section` with the lock held.
    ///
    /// `section` can reach no token of an outer context; it gets a [`SpinLocked`] instead. All that
    /// it captures or returns, and the value behind the lock, is [`Send`]. Tokens are not, and
    /// neither are the kernel crate's guards. So interrupts are enabled when the lock is released,
    /// as they were when it was taken, unless a guard was leaked.
    #[inline]
    pub fn with<C: IrqsOn, R: Send>(
        &self,
        _outer: &mut C,
        section: impl FnOnce(&SpinLocked, &mut T) -> R + Send,
    ) -> R
    where
        T: Send,
    {
        let mut guard = self.inner.lock();
        // SAFETY: The lock is held until `guard` is dropped, which is after the token's last use.
        // `section` cannot release it: the guard stays here.
        let cx = unsafe { SpinLocked::assume() };

        section(&cx, &mut guard)
    }
}
