// SPDX-License-Identifier: GPL-2.0

//! Kernel threads that stop when their owner drops them.
//!
//! A [`Thread`] that is leaked (`mem::forget`) keeps the module loaded, see
//! [`unload`](crate::ffi::unload).
//!
//! C header: [`include/linux/kthread.h`](srctree/include/linux/kthread.h)

use super::waker::Waker;
use crate::ffi::{
    context::Task,
    cpu::online::OnlineCpu,
    helpers,
    unload::CallbackRegistration, //
};
use core::{
    cell::UnsafeCell,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::from_err_ptr,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// The function of a thread and its data.
pub trait Body: Send + 'static {
    /// Runs in the thread. It must return soon after [`Running::sleep_us`] or
    /// [`Running::sleep_until_woken`] has returned [`ShouldStop::Yes`]. It may return earlier. If it
    /// panics, the thread dies, and the body is never dropped.
    fn run(&mut self, thread: &mut Running);
}

/// The running thread, as its own body sees it.
///
/// # Invariants
///
/// Exists only on the stack of a thread that a function of [`Thread`] started.
pub struct Running {
    task: Task,
    waker: Option<Arc<Waker>>,
}

impl Running {
    /// Returns the proof that this is task context.
    pub fn context(&mut self) -> &mut Task {
        &mut self.task
    }

    /// Sleeps for `delay_us` microseconds, or until the owner wants the thread to stop.
    ///
    /// Returns [`ShouldStop::Yes`] in the latter case, at once if the owner wanted that before the
    /// call. A [`Waker`] does not end the sleep; its call stays for [`Self::sleep_until_woken`].
    #[must_use]
    pub fn sleep_us(&mut self, delay_us: u32) -> ShouldStop {
        self.sleep(Some(delay_us), None)
    }

    /// Sleeps until the thread's [`Waker`] is called, or until the owner wants the thread to stop.
    ///
    /// Returns [`ShouldStop::Yes`] in the latter case. Returns at once if either happened since the
    /// function last returned. Without a waker ([`Thread::spawn`]) only the owner ends the sleep.
    #[must_use]
    pub fn sleep_until_woken(&mut self) -> ShouldStop {
        self.sleep(None, self.waker.as_deref())
    }

    /// Like [`Self::sleep_until_woken`], but for at most `delay_us` microseconds.
    #[must_use]
    pub fn sleep_until_woken_or(&mut self, delay_us: u32) -> ShouldStop {
        self.sleep(Some(delay_us), self.waker.as_deref())
    }

    /// Sleeps until the delay is over, the waker is called, or the owner stops the thread.
    fn sleep(&self, delay_us: Option<u32>, waker: Option<&Waker>) -> ShouldStop {
        // SAFETY: No requirements.
        let in_us = |delay_us| unsafe { helpers::labyrinth_time_in_us(delay_us) };
        let mut deadline = delay_us.map(in_us);
        let word = waker.map_or(core::ptr::null(), Waker::word);

        loop {
            let at = deadline
                .as_mut()
                .map_or(core::ptr::null_mut(), core::ptr::from_mut);
            // SAFETY: By the type invariant the current task is a kernel thread in task context;
            // `at` is null or valid, and `word` is null or lives as long as `waker`.
            unsafe { helpers::labyrinth_thread_sleep_until(at, word) };
            let woken = waker.is_some_and(Waker::take);
            let answer = self.should_stop();
            if woken || answer == ShouldStop::Yes || deadline.is_some_and(|end| in_us(0) >= end) {
                return answer;
            }
        }
    }

    /// Returns whether the owner wants the thread to stop.
    fn should_stop(&self) -> ShouldStop {
        // SAFETY: By the type invariant the current task is a kernel thread.
        if unsafe { bindings::kthread_should_stop() } {
            ShouldStop::Yes
        } else {
            ShouldStop::No
        }
    }
}

/// Whether the owner of a thread wants it to stop.
#[derive(PartialEq, Eq)]
pub enum ShouldStop {
    /// The thread should go on.
    No,
    /// The thread should return from [`Body::run`].
    Yes,
}

/// A kernel thread and its data.
///
/// # Invariants
///
/// - `task` was created to run `work`. (It may have returned by itself, and may never get to run.)
/// - Only the thread accesses `work` until `task` has been stopped. `work` is dropped after that,
///   unless the thread died in [`Body::run`].
pub struct Thread<B: Body> {
    _task: OwnedTask,
    _work: OwnedWork<B>,
    _registration: CallbackRegistration,
}

/// The data that the thread's function gets.
struct Work<B> {
    body: B,
    waker: Option<Arc<Waker>>,
    /// Whether the thread is in [`Body::run`].
    is_running: Atomic<u32>,
}

/// The work of a thread, whose owner drops it after the thread has ended.
///
/// A thread that panics dies in the middle of [`Body::run`], and nothing is unwound. The body may
/// then be half changed, such as a vector that holds a page twice because it was being sorted. So
/// the body of such a thread is never dropped.
struct OwnedWork<B: Body>(ManuallyDrop<KBox<UnsafeCell<Work<B>>>>);

impl<B: Body> Drop for OwnedWork<B> {
    fn drop(&mut self) {
        // SAFETY: The thread has ended, or never began: `Thread` drops its task before its work. The
        // field is accessed by nobody else.
        let is_running = unsafe { &(*self.0.get()).is_running };

        if is_running.load(Relaxed) != 0 {
            pr_err!("a thread has died, so what it owned is leaked\n");
            return;
        }
        // SAFETY: This is the only call, in the destructor.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

// SAFETY: A thread can be stopped from any other; `B: Send` lets the body be dropped there.
unsafe impl<B: Body> Send for Thread<B> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<B: Body> Sync for Thread<B> {}

/// A kernel thread that is stopped when this is dropped.
///
/// # Invariants
///
/// The thread has not been stopped yet, and this value holds a reference to it.
struct OwnedTask(NonNull<bindings::task_struct>);

impl<B: Body> Thread<B> {
    /// Starts a thread. Task context only, may sleep. Fails with `ENOMEM` if there is no memory,
    /// and with `EINTR` if the caller was killed.
    #[allow(
        dead_code,
        reason = "for KUnit, and for modules as those in tests/modules"
    )]
    pub fn spawn(name: &CStr, body: B) -> Result<Self> {
        Self::start(name, None, None, body)
    }

    /// Starts a thread that stays on a CPU. The CPU's number is added to the thread's name. When
    /// the CPU goes offline, the kernel lets the thread run anywhere. Task context only, may sleep.
    /// Fails as [`Self::spawn`] does.
    pub fn spawn_on(cpu: OnlineCpu<'_>, name: &CStr, body: B) -> Result<Self> {
        Self::start(name, Some(cpu.number()), None, body)
    }

    /// Starts a thread that `waker` wakes. Task context only, may sleep. Fails with `EBUSY` if the
    /// waker belongs to another thread, even one that has ended.
    pub fn spawn_with(name: &CStr, waker: Arc<Waker>, body: B) -> Result<Self> {
        Self::start(name, None, Some(waker), body)
    }

    /// `cpu`, if any, is possible, and online if the thread is to stay there.
    fn start(name: &CStr, cpu: Option<u32>, waker: Option<Arc<Waker>>, body: B) -> Result<Self> {
        let registration = CallbackRegistration::new(Self::entry as *const c_void)?;
        let work = KBox::new(
            UnsafeCell::new(Work {
                body,
                waker: waker.clone(),
                is_running: Atomic::new(0),
            }),
            GFP_KERNEL,
        )?;
        let work = OwnedWork(ManuallyDrop::new(work));

        // SAFETY: The data is a `Work<B>`. `Self` keeps it, and does not touch it, until the thread
        // has stopped, as `entry` requires. `name` is NUL-terminated and copied.
        let task = from_err_ptr(unsafe {
            helpers::labyrinth_thread_create(
                Some(Self::entry),
                work.0.get().cast(),
                name.as_char_ptr(),
                cpu.map_or(-1, |cpu| cpu as c_int),
            )
        })?;
        // INVARIANT: The thread was just created and a reference to it taken.
        // SAFETY: `kthread_create` returns a task or an error pointer, never null.
        let task = OwnedTask(unsafe { NonNull::new_unchecked(task) });

        if let Some(cpu) = cpu {
            // SAFETY: `task` is a reference, and the thread has not begun, as `kthread_bind`
            // requires.
            unsafe { bindings::kthread_bind(task.0.as_ptr(), cpu) };
        }
        if let Some(waker) = waker {
            // SAFETY: `task` is a reference.
            unsafe { waker.bind(task.0) }?;
        }
        // SAFETY: As above. The thread has not begun until now, so every call of the waker from now
        // on finds it bound.
        unsafe { bindings::wake_up_process(task.0.as_ptr()) };

        // INVARIANT: The thread was created for `work`.
        Ok(Self {
            _task: task,
            _work: work,
            _registration: registration,
        })
    }

    /// The first function of the thread.
    ///
    /// # Safety
    ///
    /// `data` must point to a `Work<B>` that stays valid until the thread ends, and that no other
    /// code accesses.
    unsafe extern "C" fn entry(data: *mut c_void) -> c_int {
        // SAFETY: By the requirement above; `B: Send` allows the access from this thread.
        let work = unsafe { &mut *data.cast::<Work<B>>() };
        // INVARIANT: This runs on the stack of the thread that `Thread::start` has made.
        let mut running = Running {
            // SAFETY: A kernel thread's function is called in task context, with no lock held and
            // preemption enabled, and this is the only token in this thread.
            task: unsafe { Task::assume() },
            waker: work.waker.take(),
        };

        // If the thread dies in `run`, this stays set. The compiler must not merge atomic stores
        // across the call.
        work.is_running.store(1, Relaxed);
        work.body.run(&mut running);
        work.is_running.store(0, Relaxed);
        0
    }
}

impl Drop for OwnedTask {
    /// Stops the thread and waits for it. Task context only, sleeps; never in the thread itself.
    fn drop(&mut self) {
        // SAFETY: By the invariant the thread has not been stopped and we hold a reference, which
        // this call gives back. When it returns, the thread no longer uses its work or any code of
        // this module: its last steps are code of the core kernel.
        unsafe { bindings::kthread_stop_put(self.0.as_ptr()) };
    }
}
