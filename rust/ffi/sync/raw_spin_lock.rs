// SPDX-License-Identifier: GPL-2.0

//! A lock for every context: it spins with interrupts disabled, on PREEMPT_RT, too.
//!
//! [`RawSpinLock`] is for a few instructions in code that may be called from anywhere and therefore
//! has no outer token to borrow mutably. Instead, all that a section can reach must be [`Send`]:
//! its captures, the value behind the lock, and its result. No token is [`Send`]. So a section
//! cannot call functions that ask for a token, above all the page allocator. It must not call those
//! that do not ask but may sleep either (freeing a page, `kernel::sync::Mutex`): on PREEMPT_RT the
//! allocator's own locks sleep.
//!
//! The kernel crate's guards of locks or of disabled interrupts are not `Send` either. So a section
//! can neither end a guard that was there before it, nor leave one behind.
//!
//! Taking the lock twice in one section spins for ever; lockdep finds it. Without `CONFIG_SMP`
//! there is no lock to spin on, and two sections at a time would have the value.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use crate::ffi::{
    compat::interrupts,
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

#[cfg(not(CONFIG_SMP))]
compile_error!("labyrinth needs CONFIG_SMP: without it a spinlock can be taken twice");

/// The `raw_spin_lock_irqsave()` family as a lock backend.
struct RawBackend;

// SAFETY: With `CONFIG_SMP` `raw_spin_lock_irqsave` gives mutual exclusion among its users on all
// CPUs, and by disabling interrupts also against those of the same CPU. (NMIs only ever try.)
unsafe impl Backend for RawBackend {
    type State = bindings::raw_spinlock_t;
    type GuardState = interrupts::Saved;

    unsafe fn init(ptr: *mut Self::State, name: *const c_char, key: *mut bindings::lock_class_key) {
        // SAFETY: The caller promises that `ptr` may be written, and `name` and `key` are valid for
        // as long as the lock is used.
        unsafe { helpers::labyrinth_raw_spin_init(ptr, name, key) }
    }

    #[inline]
    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState {
        // SAFETY: The caller promises that `ptr` was initialised by `init`.
        unsafe { interrupts::lock(ptr) }
    }

    #[inline]
    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState> {
        // SAFETY: As for `lock`.
        unsafe { interrupts::try_lock(ptr) }
    }

    #[inline]
    unsafe fn unlock(ptr: *mut Self::State, guard_state: &Self::GuardState) {
        // SAFETY: The caller promises that the lock is held by it, and the state is that of taking
        // it. All other code that disabled interrupts since has restored them: `RawSpinLock::with`
        // alone takes the lock, and all that its sections capture or return is `Send`, which the
        // kernel crate's guards of disabled interrupts are not. If a section leaked one, a kernel
        // that has such guards counts it.
        unsafe { interrupts::unlock(ptr, *guard_state) }
    }

    #[inline]
    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // SAFETY: As for `lock`.
        unsafe { helpers::labyrinth_raw_spin_assert_held(ptr) }
    }
}

/// A value behind a spinlock that disables interrupts and never sleeps.
#[pin_data]
pub struct RawSpinLock<T> {
    #[pin]
    inner: Lock<T, RawBackend>,
}

impl<T: Unpin> RawSpinLock<T> {
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

    /// Runs `section` with the lock held and interrupts disabled.
    ///
    /// Any context but NMI, PREEMPT_RT included. The section must be short, and on PREEMPT_RT it
    /// must neither allocate nor free.
    #[inline]
    pub fn with<R: Send>(&self, section: impl FnOnce(&mut T) -> R + Send) -> R
    where
        T: Send,
    {
        section(&mut self.inner.lock())
    }
}
