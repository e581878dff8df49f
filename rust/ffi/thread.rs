// SPDX-License-Identifier: GPL-2.0

//! Kernel threads that stop when their owner drops them.
//!
//! A [`Thread`] that is leaked (`mem::forget`) runs on after its module is unloaded, which the type
//! system does not prevent. Keep it where it is dropped.
//!
//! C header: [`include/linux/kthread.h`](srctree/include/linux/kthread.h)

use super::{
    context::Task,
    helpers, //
};
use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::from_err_ptr,
    prelude::*, //
};

/// What a thread does.
pub(crate) trait Body: Send + 'static {
    /// Runs in the thread. To be stoppable it must return soon after [`Running::sleep_us`] has said
    /// so; returning earlier is fine.
    fn run(&mut self, thread: &mut Running);
}

/// The view of a thread from its inside.
///
/// # Invariants
///
/// Exists only on the stack of a thread that [`Thread::spawn`] started.
pub(crate) struct Running {
    task: Task,
}

impl Running {
    /// The proof that this is task context.
    pub(crate) fn context(&mut self) -> &mut Task {
        &mut self.task
    }

    /// Sleeps for `delay_us` microseconds, or until the owner wants the thread to stop.
    ///
    /// Returns [`Wish::Stop`] in the latter case, at once when the wish came before the call.
    #[must_use]
    pub(crate) fn sleep_us(&mut self, delay_us: u32) -> Wish {
        // SAFETY: By the type invariant the current task is a kernel thread in task context.
        if unsafe { helpers::labyrinth_thread_sleep(delay_us) } {
            Wish::Stop
        } else {
            Wish::GoOn
        }
    }
}

/// What the owner of a thread wants of it.
#[derive(PartialEq, Eq)]
pub(crate) enum Wish {
    /// Go on.
    GoOn,
    /// Return from [`Body::run`].
    Stop,
}

/// A kernel thread and what it works on.
///
/// # Invariants
///
/// - `task` is a thread that was started to run `body`, has not been stopped yet, and of which this
///   value holds a reference. (It may have returned by itself, and may never get to run.)
/// - `body` is accessed only by the thread, until it has been stopped.
pub(crate) struct Thread<B: Body> {
    task: NonNull<bindings::task_struct>,
    _body: KBox<UnsafeCell<B>>,
}

// SAFETY: A thread can be stopped from any other; `B: Send` lets the body be dropped there.
unsafe impl<B: Body> Send for Thread<B> {}

impl<B: Body> Thread<B> {
    /// Starts a thread. Task context only, may sleep.
    pub(crate) fn spawn(name: &CStr, body: B) -> Result<Self> {
        let body = KBox::new(UnsafeCell::new(body), GFP_KERNEL)?;

        // SAFETY: The data is a `B` that `Self` keeps, and does not touch, until the thread has
        // stopped, as `entry` requires; `name` is NUL-terminated and copied.
        let task = from_err_ptr(unsafe {
            helpers::labyrinth_thread_start(
                Some(Self::entry),
                body.get().cast(),
                name.as_char_ptr(),
            )
        })?;
        // INVARIANT: The thread was just started and a reference to it taken.
        Ok(Self {
            // SAFETY: `kthread_create` gives a task or an error pointer, never null.
            task: unsafe { NonNull::new_unchecked(task) },
            _body: body,
        })
    }

    /// The first function of the thread.
    ///
    /// # Safety
    ///
    /// `data` must point to a `B` that stays valid until the thread ends, and that nobody else
    /// accesses.
    unsafe extern "C" fn entry(data: *mut c_void) -> c_int {
        // SAFETY: By the requirement above; `B: Send` allows the access from this thread.
        let body = unsafe { &mut *data.cast::<B>() };
        // INVARIANT: This is the stack of a thread that `spawn` started.
        let mut running = Running {
            // SAFETY: A kernel thread's function is called in task context, with no lock held and
            // preemption enabled, and this is the only token in this thread.
            task: unsafe { Task::assume() },
        };

        body.run(&mut running);
        0
    }
}

impl<B: Body> Drop for Thread<B> {
    /// Stops the thread and waits for it. Task context only, sleeps; never in the thread itself.
    fn drop(&mut self) {
        // SAFETY: By the invariant the thread has not been stopped and we hold a reference, which
        // this call gives back. When it returns the thread no longer uses the body, nor any code of
        // this module: the last thing it does is done by the core kernel.
        unsafe { bindings::kthread_stop_put(self.task.as_ptr()) };
    }
}
