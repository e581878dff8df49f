// SPDX-License-Identifier: GPL-2.0

//! A module stays loaded as long as the kernel may call it.
//!
//! Wrappers pass addresses of functions to the kernel: of a timer's handler, of a thread, of a
//! file. When the owner is dropped, the kernel forgets the address. But safe code can leak an owner
//! (`mem::forget`, or two `Arc`s that hold each other). If the module were unloaded after that, the
//! kernel would call code that is gone. So labyrinth counts the owners: each has a
//! [`CallbackRegistration`], and the memory of the module is not freed before the count is zero. A
//! module with a leak cannot be unloaded, and the kernel log says why. The kernel never uses freed
//! memory.
//!
//! A registered pool is counted, too, although the kernel does not call the driver because of it.
//! labyrinth would stay loaded because of a leaked pool, and the kernel log would not name the
//! driver.
//!
//! # Which module
//!
//! The generic code of this crate that the kernel calls is compiled into the module that uses it.
//! The handler is in the same module, or in one that this module depends on. So a
//! [`CallbackRegistration`] is made for an address of that code, and counts for the module that has
//! the address.
//!
//! - A driver needs to do nothing. The module loader calls `unload.c` when the driver is unloaded,
//!   and `unload.c` waits.
//! - The last field of labyrinth's own module is an [`UnloadBarrier`], which waits.
//!
//! While a driver waits because of a leak, the module loader's notifier chain is held for reading.
//! Other modules can be loaded and unloaded in the meantime, unless a task registers a notifier.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use super::{
    helpers,
    sync::saturating, //
};
use core::{
    panic::Location,
    ptr::{
        self,
        NonNull, //
    }, //
};
use kernel::{
    error::to_result,
    prelude::*,
    str::CString,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// A count that saturates: no number of leaks can make it 0 while an owner is left.
#[repr(transparent)]
pub(crate) struct Count(Atomic<u32>);

impl Count {
    /// Makes a count of zero.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) const fn new(count: u32) -> Self {
        Self(Atomic::new(count))
    }

    /// Returns the count. If the count shows the effect of a [`Self::down`], everything before that
    /// call is visible, too. Any context.
    pub(crate) fn get(&self) -> u32 {
        self.0.load(Acquire)
    }

    /// Counts up. Any context.
    pub(crate) fn up(&self) {
        self.change(saturating::one_more);
    }

    /// Counts down. Any context.
    pub(crate) fn down(&self) {
        self.change(saturating::one_less);
    }

    fn change(&self, rule: fn(u32) -> u32) {
        let mut count = self.0.load(Relaxed);
        // Code that sees the new count must also see what was done before, above all by an owner
        // that was dropped.
        while let Err(now) = self.0.cmpxchg(count, rule(count), Release) {
            count = now;
        }
    }
}

/// Counts one value whose code the kernel may call. It is a field of the owner, so it is dropped
/// after the owner's `drop`, when the kernel no longer has the address.
///
/// # Invariants
///
/// The pointer is valid, and the count includes one for this value.
pub(crate) struct CallbackRegistration(NonNull<Count>);

// SAFETY: A count can be changed by any thread.
unsafe impl Send for CallbackRegistration {}
// SAFETY: A shared reference gives access to the address only.
unsafe impl Sync for CallbackRegistration {}

impl CallbackRegistration {
    /// Counts one for the module that has `code`: a function that the kernel is to call, or a
    /// constant. Any context but NMI.
    ///
    /// Make it before the kernel gets the address. Fails with `EINVAL` if the address is neither in
    /// labyrinth nor in a module that was loaded after it. That cannot happen for a function.
    pub(crate) fn new(code: *const c_void) -> Result<Self> {
        let count = Self::count_of(code).ok_or(EINVAL)?;
        // SAFETY: The count is valid, as the module with that code is not gone: its code called us.
        unsafe { count.as_ref() }.up();
        // INVARIANT: Just counted. The count is not freed before it is zero.
        Ok(Self(count))
    }

    /// Like [`Self::new`], for the module that the call of this function is compiled into. If the
    /// calling function is `#[track_caller]`, the call of that function counts instead, and so on.
    /// Any context but NMI.
    #[track_caller]
    pub(crate) fn of_caller() -> Result<Self> {
        // The location of a call is a constant in the crate that the call is compiled into.
        Self::new(ptr::from_ref(Location::caller()).cast())
    }

    /// Returns whether `code` is in the module that this value counts for. Any context but NMI.
    pub(crate) fn is_for(&self, code: *const c_void) -> bool {
        Self::count_of(code) == Some(self.0)
    }

    /// Returns the name of the module that has `code`, if this value counts for that module.
    /// `EINVAL` otherwise, `ENOMEM` if there is no memory. Task context only, may sleep.
    pub(crate) fn module_name(&self, code: *const c_void) -> Result<CString> {
        if !self.is_for(code) {
            return Err(EINVAL);
        }
        // SAFETY: Looks at the address only.
        let name = unsafe { helpers::labyrinth_unload_name(code) };
        if name.is_null() {
            return Err(EINVAL);
        }
        // SAFETY: The name of a module is NUL-terminated, and is there as long as the module. By
        // the invariant the module is not gone before `self`.
        Ok(unsafe { CStr::from_char_ptr(name) }.try_into()?)
    }

    /// Returns whether both addresses are in the same module, which is loaded. Any context but NMI.
    pub(super) fn same_module(code: *const c_void, other: *const c_void) -> bool {
        Self::count_of(code).is_some_and(|count| Self::count_of(other) == Some(count))
    }

    fn count_of(code: *const c_void) -> Option<NonNull<Count>> {
        // SAFETY: Looks at the address only.
        NonNull::new(unsafe { helpers::labyrinth_unload_count(code) }.cast())
    }
}

impl Drop for CallbackRegistration {
    fn drop(&mut self) {
        // SAFETY: By the invariant. The count may be freed as soon as it is zero, and is not used
        // after that.
        unsafe { self.0.as_ref() }.down();
    }
}

/// Returns whether `code` is in labyrinth's own module. Any context but NMI.
pub(crate) fn is_own(code: *const c_void) -> bool {
    CallbackRegistration::count_of(code).is_some_and(|count| ptr::eq(count.as_ptr(), own_count()))
}

/// Returns how many callbacks labyrinth itself has. Any context.
#[cfg(CONFIG_KUNIT = "y")]
pub(crate) fn own() -> u32 {
    own_count().get()
}

fn own_count() -> &'static Count {
    // SAFETY: A static of C, which only atomic operations access, by its definition.
    unsafe { &*helpers::labyrinth_unload_own().cast::<Count>() }
}

/// Waits until the kernel can call no code of a module any more, for ever if an owner was leaked.
/// Task context only, sleeps.
fn wait(count: &Count, module: &CStr) {
    let out = count.get();
    if out != 0 {
        pr_err!(
            "{module}: {out} owner(s) of callbacks or pools leaked: \
             the module stays, as it may still be called\n"
        );
    }
    while count.get() != 0 {
        fsleep(Delta::from_millis(100));
    }
}

/// Called by C in task context when a module is unloaded.
///
/// # Safety
///
/// `count` must be valid, and `module` NUL-terminated.
unsafe extern "C" fn wait_for_module(count: *const u32, module: *const c_char) {
    // SAFETY: By the requirements above; `Count` is an atomic `u32`.
    unsafe { wait(&*count.cast(), CStr::from_char_ptr(module)) };
}

/// A proof that code belongs to labyrinth's own module. Functions that change how labyrinth serves
/// all drivers ask for it, so drivers cannot call them.
#[derive(Clone, Copy)]
pub struct OwnModule(());

#[cfg(CONFIG_KUNIT = "y")]
impl OwnModule {
    /// The proof for tests, which belong to the module.
    pub(crate) const FOR_TESTS: Self = Self(());
}

/// The last field of labyrinth's module to be dropped. It waits until the kernel can call no code
/// of labyrinth any more, for ever if an owner was leaked.
///
/// While it exists, unloading a driver waits in the same way.
pub struct UnloadBarrier(());

impl UnloadBarrier {
    /// Makes the only barrier. Task context only, may sleep.
    ///
    /// Fails with `EBUSY` if the barrier exists already. So it always fails for drivers.
    pub fn new() -> Result<Self> {
        // SAFETY: `wait_for_module` requires what C promises to pass.
        to_result(unsafe { helpers::labyrinth_unload_begin(Some(wait_for_module)) })?;
        Ok(Self(()))
    }

    /// Returns the proof that this is labyrinth's own module, as nobody else has a barrier. Any
    /// context.
    pub fn own_module(&self) -> OwnModule {
        OwnModule(())
    }
}

impl Drop for UnloadBarrier {
    /// Task context only, sleeps.
    fn drop(&mut self) {
        wait(own_count(), c"labyrinth");
        // SAFETY: `labyrinth_unload_begin()` has succeeded, and this is its end.
        unsafe { helpers::labyrinth_unload_end() };
    }
}
