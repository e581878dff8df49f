// SPDX-License-Identifier: GPL-2.0

//! Shrinkers, which give memory back when the kernel runs short of it.
//!
//! The kernel first asks how many objects there are ([`Shrink::count`]). Then it asks for some of
//! them, as often as it likes ([`Shrink::scan`]).
//!
//! A [`Shrinker`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! C header: [`include/linux/shrinker.h`](srctree/include/linux/shrinker.h)

use crate::ffi::{
    helpers,
    unload::CallbackRegistration, //
};
use core::ptr::NonNull;
use kernel::{
    bindings,
    prelude::*, //
};

/// The largest number of objects that is reported to the kernel. The kernel multiplies the number
/// in a signed word. The two largest numbers of a word have special meanings: that there are no
/// objects, and that reclaim must stop.
const MOST: usize = u32::MAX as usize;

/// Something that can give memory back.
///
/// # Contexts
///
/// Both functions are called in task context, by any thread that needs memory: inside an allocation
/// that may reclaim, with any locks held, and by several threads at once. So they
///
/// - must not allocate with `GFP_KERNEL`, which would call them again;
/// - must not wait for a lock under which other code allocates with `GFP_KERNEL`. They can try such
///   a lock, and return 0 if it is taken. lockdep reports code that waits;
/// - may sleep, but should not sleep for long.
///
/// They get no token, as nothing here may allocate.
pub trait Shrink: Send + Sync + 'static {
    /// How many objects could be given back now, at most 2³² - 1. A larger number counts as
    /// that. Cheap; an estimate will do. Task context.
    fn count(&self) -> usize;

    /// Gives back about `wanted` objects, and returns how many it gave back, with the same maximum.
    /// 0 ends this round of reclaim. Task context.
    fn scan(&self, wanted: usize) -> usize;
}

/// A registered shrinker and its value.
///
/// # Invariants
///
/// `shrinker` is registered, and ours, with the functions of this type and `value` as its data.
pub struct Shrinker<S: Shrink> {
    shrinker: NonNull<bindings::shrinker>,
    _value: KBox<S>,
    _registration: CallbackRegistration,
}

// SAFETY: Any thread may unregister a shrinker; `S` is `Send` and `Sync`.
unsafe impl<S: Shrink> Send for Shrinker<S> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<S: Shrink> Sync for Shrinker<S> {}

impl<S: Shrink> Shrinker<S> {
    /// Registers a shrinker for `value`. `name` appears in `/sys/kernel/debug/shrinker`, if the
    /// kernel has that (`CONFIG_SHRINKER_DEBUG`). Task context only, may sleep. Fails with `ENOMEM`
    /// if there is no memory.
    pub fn new(name: &CStr, value: S) -> Result<Self> {
        let registration = CallbackRegistration::new(Self::scan as *const c_void)?;
        let value = KBox::new(value, GFP_KERNEL)?;

        // SAFETY: `name` is NUL-terminated and copied. The data is an `S` that stays in place until
        // `drop` has unregistered the shrinker, as the functions require.
        let shrinker = unsafe {
            helpers::labyrinth_shrinker_register(
                name.as_char_ptr(),
                Some(Self::count),
                Some(Self::scan),
                core::ptr::from_ref::<S>(&value).cast_mut().cast(),
            )
        };
        // INVARIANT: Just registered.
        Ok(Self {
            shrinker: NonNull::new(shrinker).ok_or(ENOMEM)?,
            _value: value,
            _registration: registration,
        })
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// `shrinker` must be one of ours, and its value must be live.
    unsafe extern "C" fn count(
        shrinker: *mut bindings::shrinker,
        _control: *mut bindings::shrink_control,
    ) -> c_ulong {
        // SAFETY: By the requirement above.
        let value = unsafe { &*(*shrinker).private_data.cast::<S>() };

        value.count().min(MOST) as c_ulong
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// As for [`Self::count`], and `control` must be valid.
    unsafe extern "C" fn scan(
        shrinker: *mut bindings::shrinker,
        control: *mut bindings::shrink_control,
    ) -> c_ulong {
        // SAFETY: By the requirement above.
        let value = unsafe { &*(*shrinker).private_data.cast::<S>() };
        // SAFETY: By the requirement above.
        let wanted = unsafe { (*control).nr_to_scan };

        match value.scan(wanted) {
            // SAFETY: Returns a constant.
            0 => unsafe { helpers::labyrinth_shrink_stop() },
            freed => freed.min(MOST) as c_ulong,
        }
    }
}

impl<S: Shrink> Drop for Shrinker<S> {
    /// Waits for calls in progress. Task context only, sleeps; never inside reclaim.
    fn drop(&mut self) {
        // SAFETY: By the invariant the shrinker is registered and ours. Afterwards the kernel
        // neither uses the value nor calls our functions; the core kernel frees the rest.
        unsafe { bindings::shrinker_free(self.shrinker.as_ptr()) };
    }
}
