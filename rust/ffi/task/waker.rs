// SPDX-License-Identifier: GPL-2.0

//! Waking a thread from any context.
//!
//! `wake_up_process()` takes the scheduler's locks, so it cannot be called by code that may run
//! inside them, or in an NMI. A [`Waker`] goes by way of an interrupt of its own (`irq_work`, a
//! hard one on PREEMPT_RT, too), which comes as soon as this CPU's interrupts are enabled.
//!
//! ```text
//!   wake() ── woken = 1 ── was it 0? ── irq_work ──► wake_up_process()
//!                                                          │
//!   thread: sleep_until_woken() ◄──────────────────────────┘   takes woken back to 0
//! ```
//!
//! No call is lost: the thread declares that it sleeps before it looks at `woken` the last time,
//! and a waker sets `woken` before it wakes. Several calls before the thread looks are one. What
//! was written before a call is seen by the thread after the [`sleep_until_woken`] that the call
//! ends.
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
/// It may outlive the thread; then it wakes nobody. One that is leaked (`mem::forget`) keeps the
/// module loaded.
///
/// # Invariants
///
/// - `work` is initialised with `Self::ring` and is not in use after `drop`.
/// - `task` is 0, or the exposed address of a task that this value holds a reference of. Once set
///   it does not change.
#[pin_data(PinnedDrop)]
pub struct Waker {
    #[pin]
    work: Opaque<bindings::irq_work>,
    task: Atomic<usize>,
    /// 1 if there was a call since the thread last asked.
    woken: Atomic<i32>,
    _callback: CallbackRegistration,
}

// SAFETY: An `irq_work` may be queued from anywhere, a task be woken and its reference be given
// back by any thread; the rest is atomic.
unsafe impl Send for Waker {}
// SAFETY: As above.
unsafe impl Sync for Waker {}

impl Waker {
    /// Makes a waker that is not bound yet: calls are kept for the thread. Task context only, may
    /// sleep. `ENOMEM` if there is no memory.
    pub fn new() -> Result<Arc<Self>> {
        // INVARIANT: The work is initialised with `ring`; there is no task.
        Arc::pin_init(
            try_pin_init!(Self {
                _callback: CallbackRegistration::new(Self::ring as *const c_void)?,
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

    /// Wakes the thread if it sleeps in `sleep_until_woken`, or keeps its next one from sleeping.
    ///
    /// Any context: interrupts disabled, under any lock, NMI, PREEMPT_RT. While a call is not yet
    /// answered, another one costs a barrier and a load.
    #[inline]
    pub fn wake(&self) {
        // SAFETY: The work is initialised by the invariant, and `woken` lives beside it.
        unsafe { helpers::labyrinth_irq_work_call(self.work.get(), self.woken.as_ptr()) };
    }

    /// Binds the waker to a task. `EBUSY` if it is bound to one already.
    ///
    /// # Safety
    ///
    /// The caller must hold a reference of `task` during the call.
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
                // SAFETY: The reference taken above was not given away.
                unsafe { helpers::labyrinth_task_put(task.as_ptr()) };
                EBUSY
            })
    }

    /// Whether there was a call since the last time; takes it back. For the thread.
    pub(super) fn take(&self) -> bool {
        // Fully ordered: after it the thread looks at what the caller has written.
        self.woken.xchg(0, Full) != 0
    }

    /// The word to look at before sleeping, for C.
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
        // Either this sees the task that `bind` has set, or the thread, which starts after that,
        // sees what `wake` has set: both are fully ordered.
        let task = this.task.load(Acquire);

        if task != 0 {
            // SAFETY: By the invariant we hold a reference of the task. If it has ended, it is in
            // none of the states that it could be woken from.
            unsafe { bindings::wake_up_process(core::ptr::with_exposed_provenance_mut(task)) };
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Waker {
    /// Waits for the interrupt that a last call may have caused. Task context only, may sleep;
    /// interrupts enabled.
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The work is initialised by the invariant. Nobody can call `wake` any more.
        unsafe { bindings::irq_work_sync(self.work.get()) };

        let task = self.task.load(Acquire);
        if task != 0 {
            // SAFETY: By the invariant we hold a reference, and `ring` does not run any more.
            unsafe { helpers::labyrinth_task_put(core::ptr::with_exposed_provenance_mut(task)) };
        }
    }
}
