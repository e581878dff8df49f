// SPDX-License-Identifier: GPL-2.0

//! Pages that the hardware or an administrator has declared bad.
//!
//! The kernel marks a page with a flag (`PG_hwpoison`) when the hardware reports an error in it, or
//! when an administrator takes it out of use. A bad page that is free never leaves the allocator
//! again. A bad page that is in use is taken out of use when it comes back to the allocator. So a
//! pool must not keep a bad page.
//!
//! A check of the flags of each page that goes in or out would cost every request a cache line.
//! Therefore [`known`] tells whether any page was reported since the module was loaded. Only then
//! must callers ask [`ExclusivePages::is_known_bad`](crate::page::ExclusivePages::is_known_bad).
//! The kernel reports a page by a tracepoint, after it has set the flag. A [`BadMemory`] listens to
//! these reports while it exists.
//!
//! A [`BadMemory`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! C header: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h)

use crate::ffi::{
    helpers,
    unload::CallbackRegistration, //
};
use kernel::{
    error::to_result,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The number of reports.
static REPORTS: Atomic<usize> = Atomic::new(0);

/// Returns whether a page was reported as bad since the module was loaded. Any context; costs two
/// instructions.
#[inline(always)]
pub(crate) fn known() -> bool {
    // SAFETY: An aligned word that lives as long as the module. It is changed by atomic operations
    // only, and a volatile load of a word is defined in such a race, as `READ_ONCE()` is.
    unsafe { (&raw const helpers::labyrinth_bad_parts).read_volatile() != 0 }
}

/// Returns how many pages were reported. A page may count several times. Any context.
pub(crate) fn reports() -> usize {
    REPORTS.load(Relaxed)
}

/// Reports a bad page again, because it was found where none should be left. Any context.
#[cold]
pub(crate) fn found_again() {
    REPORTS.fetch_add(1, Relaxed);
}

/// A listener for reports of bad pages.
pub trait Listener: Send + Sync + 'static {
    /// A page has become bad, and its flag is set. Called in task context, with preemption possibly
    /// disabled: it must not sleep.
    fn reported(&self);
}

/// The function that the kernel calls for each report.
type Report = unsafe extern "C" fn(*mut c_void, c_ulong, c_int, c_int);

/// A listener that is registered for reports of bad pages.
///
/// # Invariants
///
/// `report`, if there is one, is registered with `listener` as its data.
pub struct BadMemory<L: Listener> {
    /// The byte gives each listener an address of its own, even if `L` has no size. The kernel
    /// identifies a listener by its address.
    listener: KBox<(L, u8)>,
    /// The function, if it was registered. A generic function has an address in each crate that
    /// uses it, and the kernel compares addresses.
    report: Option<Report>,
    _registration: CallbackRegistration,
}

impl<L: Listener> BadMemory<L> {
    /// Tells `listener` of each report from now on. Task context only, may sleep. Fails with
    /// `ENOMEM` if there is no memory.
    ///
    /// If the kernel has no such reports, every page counts as possibly bad, and a line in the
    /// kernel log says so.
    pub fn new(listener: L) -> Result<Self> {
        let registration = CallbackRegistration::new(Self::report as *const c_void)?;
        let listener = KBox::new((listener, 0), GFP_KERNEL)?;

        let report: Report = Self::report;

        // SAFETY: The data is an `L` that stays in place until `drop` has unregistered the
        // function, as the function requires.
        let result = to_result(unsafe {
            helpers::labyrinth_bad_memory_register(
                Some(report),
                core::ptr::from_ref::<L>(&listener.0).cast_mut().cast(),
            )
        });
        if let Err(error) = result {
            if error != ENOENT {
                return Err(error);
            }
            pr_warn!("the kernel does not report bad memory: each page will be looked at\n");
            // SAFETY: No requirements.
            unsafe { helpers::labyrinth_note_all_bad() };
            found_again();
        }
        // INVARIANT: `report` is there only if it was registered just now.
        Ok(Self {
            listener,
            report: result.is_ok().then_some(report),
            _registration: registration,
        })
    }

    /// Called by the kernel in task context.
    ///
    /// # Safety
    ///
    /// `data` must be a live `L`.
    unsafe extern "C" fn report(data: *mut c_void, pfn: c_ulong, _kind: c_int, _result: c_int) {
        // SAFETY: No requirements: any number is allowed.
        unsafe { helpers::labyrinth_note_bad(pfn) };
        found_again();
        // SAFETY: By the requirement above; only shared references to the listener exist.
        unsafe { &*data.cast::<L>() }.reported();
    }
}

impl<L: Listener> Drop for BadMemory<L> {
    /// Waits for reports that are in progress. Task context only, sleeps; never in the listener.
    fn drop(&mut self) {
        if self.report.is_some() {
            // SAFETY: By the invariant it is registered, with these arguments. The listener is not
            // used afterwards.
            unsafe {
                helpers::labyrinth_bad_memory_unregister(
                    self.report,
                    core::ptr::from_ref::<L>(&self.listener.0).cast_mut().cast(),
                )
            };
        }
    }
}
