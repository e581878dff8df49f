// SPDX-License-Identifier: GPL-2.0

//! Spinlocks whose critical sections are closures.
//!
//! | lock            | disables     | contexts                       | on PREEMPT_RT    |
//! |-----------------|--------------|--------------------------------|------------------|
//! | [`SpinLockBh`]  | bottom halves| task, softirq, [`IrqsOn`] ones | a sleeping lock  |
//! | [`RawSpinLock`] | interrupts   | any but NMI                    | spins as well    |
//!
//! The kernel crate's `SpinLock` leaves bottom halves enabled: a task that holds it can be
//! interrupted by a softirq of the same CPU that then spins for ever.
//!
//! Code in a critical section must not claim that it may sleep. So all that a section captures or
//! returns, and the value behind the lock, is [`Send`]. No token is, and neither are the kernel
//! crate's guards of locks or of disabled interrupts. Therefore a section can reach no token of the
//! context around it, and can neither end a guard that was there before it nor leave one behind.
//!
//! - [`SpinLockBh`] borrows the token of the context around it, and gives the section a
//!   [`SpinLocked`] instead.
//! - [`RawSpinLock`] is for a few instructions in code that may be called from anywhere and
//!   therefore has no token. Its sections have none of the context around them either. They must
//!   not enter the page allocator, nor call other functions that may sleep (freeing a page,
//!   `kernel::sync::Mutex`): on PREEMPT_RT the allocator's own locks sleep. Functions that check
//!   the context at run time refuse to make a token there on PREEMPT_RT. On other kernels, lockdep
//!   reports such code.
//!
//! Taking a lock twice in one section spins for ever; lockdep finds it. Without `CONFIG_SMP` there
//! is no lock to spin on, and two sections could access the value at the same time.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use crate::ffi::{
    compat::interrupts,
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

#[cfg(not(CONFIG_SMP))]
compile_error!("labyrinth needs CONFIG_SMP: without it a spinlock can be taken twice");

/// A value behind a spinlock: [`SpinLockBh`] or [`RawSpinLock`].
#[pin_data]
#[allow(unnameable_types, reason = "drivers use its aliases")]
pub struct SectionLock<T, B: Backend> {
    #[pin]
    inner: Lock<T, B>,
}

/// A value behind a spinlock that disables bottom halves, which task context and softirqs can
/// share.
///
/// Contexts: task and softirq, not hard interrupts, nor with interrupts disabled. On PREEMPT_RT it
/// is a sleeping lock, like every `spinlock_t`.
pub type SpinLockBh<T> = SectionLock<T, Bh>;

/// A value behind a spinlock that disables interrupts and never sleeps, on PREEMPT_RT either.
///
/// Contexts: any but NMI.
pub type RawSpinLock<T> = SectionLock<T, Raw>;

impl<T: Unpin, B: Backend> SectionLock<T, B> {
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
}

impl<T: Unpin> SpinLockBh<T> {
    /// Runs `section` with the lock held.
    ///
    /// Interrupts are enabled when the lock is released, as they were when it was taken, unless a
    /// guard was leaked: `section` can neither enable nor disable them for longer.
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

impl<T: Unpin> RawSpinLock<T> {
    /// Runs `section` with the lock held and interrupts disabled.
    ///
    /// The section must be short, and on PREEMPT_RT it must neither allocate nor free.
    #[inline]
    pub fn with<R: Send>(&self, section: impl FnOnce(&mut T) -> R + Send) -> R
    where
        T: Send,
    {
        section(&mut self.inner.lock())
    }
}

/// The `spin_lock_bh()` family as a lock backend. Other crates cannot name it, so they make no lock
/// of the kernel crate with it.
#[allow(unnameable_types, reason = "drivers use the alias of its lock")]
pub struct Bh;

// SAFETY: `spin_lock_bh` gives mutual exclusion among its users on all CPUs, and by disabling
// bottom halves also against softirqs of the same CPU.
unsafe impl Backend for Bh {
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

/// The `raw_spin_lock_irqsave()` family as a lock backend. Other crates cannot name it, as above.
#[allow(unnameable_types, reason = "drivers use the alias of its lock")]
pub struct Raw;

// SAFETY: With `CONFIG_SMP` `raw_spin_lock_irqsave` gives mutual exclusion among its users on all
// CPUs, and by disabling interrupts also against those of the same CPU. (NMIs only ever try.)
unsafe impl Backend for Raw {
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
