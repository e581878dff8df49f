// SPDX-License-Identifier: GPL-2.0

//! Waking a thread from any context.
//!
//! `wake_up_process()` takes the scheduler's locks, so it cannot be called by code that may run
//! inside them, or in an NMI. Therefore a [`Waker`] raises an interrupt (`irq_work`), which comes
//! as soon as this CPU's interrupts are enabled. It is a hard interrupt on PREEMPT_RT, too.
//!
//! ```text
//!   wake() ── woken = 1 ── was it 0? ── irq_work ──► wake_up_process()
//!                                                          │
//!   thread: sleep_until_woken() ◄──────────────────────────┘   takes woken back to 0
//! ```
//!
//! No call is lost: the thread sets its state to sleeping before it reads `woken` the last time,
//! and a waker sets `woken` before it wakes the thread. Several calls before the thread reads
//! `woken` count as one. The [`sleep_until_woken`] that a call ends makes everything visible to the
//! thread that was written before the call.
//!
//! [`sleep_until_woken`]: crate::ffi::task::thread::Running::sleep_until_woken
//!
//! C header: [`include/linux/irq_work.h`](srctree/include/linux/irq_work.h)

use crate::ffi::{
    helpers,
    unload::CallbackRegistration, //
};
use core::{
    pin::Pin,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    container_of,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full, //
        },
        Arc, //
    },
    types::Opaque, //
};

/// Wakes the thread that it is bound to
/// ([`Thread::spawn_with`](crate::ffi::task::thread::Thread::spawn_with)).
///
/// A waker may outlive the thread; then it wakes nothing. A waker that is leaked (`mem::forget`)
/// keeps the module loaded.
///
/// # Invariants
///
/// - `work` is initialised with `Self::ring` and is not in use after `drop`.
/// - `task` is 0, or the exposed address of a task that this value holds a reference to. Once set
///   it does not change.
#[pin_data(PinnedDrop)]
pub struct Waker {
    #[pin]
    work: Opaque<bindings::irq_work>,
    task: Atomic<usize>,
    /// 1 if there was a call since the thread last checked.
    woken: Atomic<i32>,
    _registration: CallbackRegistration,
}

// SAFETY: Any code may queue an `irq_work`, any thread may wake a task or give back a reference to
// it, and the rest is atomic.
unsafe impl Send for Waker {}
// SAFETY: As above.
unsafe impl Sync for Waker {}

impl Waker {
    /// Makes a waker that is not bound yet: calls are kept for the thread. Task context only, may
    /// sleep. Fails with `ENOMEM` if there is no memory.
    pub fn new() -> Result<Arc<Self>> {
        // INVARIANT: The work is initialised with `ring`; there is no task.
        Arc::pin_init(
            try_pin_init!(Self {
                _registration: CallbackRegistration::new(Self::ring as *const c_void)?,
                work <- Opaque::ffi_init(|work| {
                    // SAFETY: `work` points to memory for an `irq_work` that stays put (it is
                    // pinned) and outlives its use (`drop` waits for it).
                    unsafe { helpers::labyrinth_irq_work_init(work, Some(Self::ring)) }
                }),
                task: Atomic::new(0),
                woken: Atomic::new(0),
            }? Error),
            GFP_KERNEL,
        )
    }

    /// Wakes the thread if it sleeps in `sleep_until_woken`, or makes its next call of it return.
    ///
    /// Any context: interrupts disabled, under any lock, NMI, PREEMPT_RT. While the thread has not
    /// yet answered a call, another call costs a barrier and a load.
    #[inline]
    pub fn wake(&self) {
        // SAFETY: The work is initialised by the invariant, and `woken` lives beside it.
        unsafe { helpers::labyrinth_irq_work_call(self.work.get(), self.woken.as_ptr()) };
    }

    /// Binds the waker to a task. Fails with `EBUSY` if it is bound to one already.
    ///
    /// # Safety
    ///
    /// The caller must hold a reference to `task` during the call.
    pub(super) unsafe fn bind(&self, task: NonNull<bindings::task_struct>) -> Result {
        // SAFETY: The caller holds a reference. The one taken here is given back by `drop`, or
        // below.
        unsafe { helpers::labyrinth_task_get(task.as_ptr()) };
        // INVARIANT: The task is set at most once, and the reference was just taken.
        // Fully ordered: see `ring`.
        self.task
            .cmpxchg(0, task.as_ptr().expose_provenance(), Full)
            .map(|_| ())
            .map_err(|_| {
                // SAFETY: The reference that was taken above is still ours.
                unsafe { helpers::labyrinth_task_put(task.as_ptr()) };
                EBUSY
            })
    }

    /// Returns whether there was a call since the last time, and resets that. For the thread.
    pub(super) fn take(&self) -> bool {
        // Fully ordered: afterwards the thread reads what the caller has written.
        self.woken.xchg(0, Full) != 0
    }

    /// Returns the word that C checks before the thread sleeps.
    pub(super) fn word(&self) -> *const c_int {
        self.woken.as_ptr()
    }

    /// Called by the kernel in a hard interrupt.
    ///
    /// # Safety
    ///
    /// `work` must be the field of a live, pinned `Self`.
    unsafe extern "C" fn ring(work: *mut bindings::irq_work) {
        // SAFETY: By the requirement above.
        let this = unsafe { &*container_of!(Opaque::cast_from(work), Self, work) };
        // Either this sees the task that `bind` has set, or the thread, which starts after `bind`,
        // sees what `wake` has set: both are fully ordered.
        let task = this.task.load(Acquire);

        if task != 0 {
            // SAFETY: By the invariant we hold a reference to the task. A task that has ended is in
            // none of the states from which it could be woken.
            unsafe { bindings::wake_up_process(core::ptr::with_exposed_provenance_mut(task)) };
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Waker {
    /// Waits for the interrupt of the last call, if it is pending. Task context only, may sleep;
    /// interrupts enabled.
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The work is initialised by the invariant. No code can call `wake` any more.
        unsafe { bindings::irq_work_sync(self.work.get()) };

        let task = self.task.load(Acquire);
        if task != 0 {
            // SAFETY: By the invariant we hold a reference, and `ring` does not run any more.
            unsafe { helpers::labyrinth_task_put(core::ptr::with_exposed_provenance_mut(task)) };
        }
    }
}
