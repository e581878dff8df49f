// SPDX-License-Identifier: GPL-2.0

//! Walking over CPUs.
//!
//! C header: [`include/linux/cpumask.h`](srctree/include/linux/cpumask.h)

use super::{
    context::Task,
    helpers, //
};
use core::{
    marker::PhantomData,
    mem, //
};
use kernel::{
    cpu::nr_cpu_ids,
    prelude::*,
    types::NotThreadSafe, //
};

/// The numbers of all possible CPUs: every CPU that can ever come online while this kernel runs.
///
/// Any context.
pub(crate) fn possible() -> impl Iterator<Item = u32> {
    walk(|cpu| {
        // SAFETY: Reads the mask of possible CPUs, which is fixed after boot.
        unsafe { helpers::labyrinth_next_possible_cpu(cpu) }
    })
}

/// A CPU that stays online for `'a`.
///
/// # Invariants
///
/// The number is that of an online CPU, and the CPU hotplug lock is held for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct OnlineCpu<'a> {
    number: u32,
    _guard: PhantomData<&'a HotplugGuard>,
}

impl OnlineCpu<'_> {
    /// The CPU's number.
    pub(crate) fn number(self) -> u32 {
        self.number
    }

    /// Runs `work` on this CPU, in task context, and waits for its result. Task context only, sleeps.
    ///
    /// A worker of the kernel does it, so `work` must not wait for a lock that the caller holds. Nor
    /// must it take the hotplug lock again (a CPU operation that waits for ours would be in between),
    /// nor run something on another CPU. Under memory pressure the kernel may first have to start a
    /// worker, which takes memory.
    #[allow(dead_code, reason = "for the page sources")]
    pub(crate) fn run<R: Send>(self, _cx: &Task, work: impl FnOnce(&mut Task) -> R + Send) -> R {
        let mut state = State::Todo(work);

        // SAFETY: The CPU stays online during the call: `self` stands for the hotplug lock. The data
        // is what `call` requires, for the same types, and the kernel calls it once before it
        // returns, on another thread: what it takes and gives is `Send`.
        unsafe { run_on(self.number, &mut state) };
        match state {
            State::Done(result) => result,
            // Not reached: `call` was called.
            State::Todo(_) | State::Doing => unreachable!(),
        }
    }
}

/// What becomes of the work of [`OnlineCpu::run`].
enum State<F, R> {
    Todo(F),
    Doing,
    Done(R),
}

/// Has [`call`] called for `state` on a CPU.
///
/// # Safety
///
/// The CPU must stay online during the call.
unsafe fn run_on<F, R>(cpu: u32, state: &mut State<F, R>)
where
    F: FnOnce(&mut Task) -> R + Send,
    R: Send,
{
    // SAFETY: By the requirement above; `state` is valid for `call`, exclusively, until it returns.
    unsafe {
        helpers::labyrinth_run_on_cpu(
            cpu as c_int,
            Some(call::<F, R>),
            core::ptr::from_mut(state).cast(),
        )
    };
}

/// Called by a worker of the kernel in task context.
///
/// # Safety
///
/// `data` must point to a `State<F, R>` that nobody else accesses meanwhile.
unsafe extern "C" fn call<F, R>(data: *mut c_void) -> c_long
where
    F: FnOnce(&mut Task) -> R + Send,
    R: Send,
{
    // SAFETY: By the requirement above.
    let state = unsafe { &mut *data.cast::<State<F, R>>() };

    if let State::Todo(work) = mem::replace(state, State::Doing) {
        // SAFETY: A worker calls its work in task context, with no lock held, and this is the only
        // token in this thread.
        let mut cx = unsafe { Task::assume() };
        *state = State::Done(work(&mut cx));
    }
    0
}

/// Keeps CPUs from coming and going.
///
/// May sleep; must not be held across anything that waits for a CPU hotplug operation.
///
/// # Invariants
///
/// The CPU hotplug lock is held for reading by the current task for as long as the value exists.
pub(crate) struct HotplugGuard(NotThreadSafe);

impl HotplugGuard {
    /// Takes the hotplug lock for reading. Task context only, may sleep.
    pub(crate) fn new() -> Self {
        // SAFETY: Called in task context; `drop` releases the lock in the same task.
        unsafe { helpers::labyrinth_cpus_read_lock() };
        // INVARIANT: The lock was just taken and only `drop` releases it.
        Self(NotThreadSafe)
    }

    /// The CPUs that are online, and stay so while `self` lives.
    pub(crate) fn online(&self) -> impl Iterator<Item = OnlineCpu<'_>> {
        walk(|cpu| {
            // SAFETY: Reads the mask of online CPUs, which holds still under the hotplug lock.
            unsafe { helpers::labyrinth_next_online_cpu(cpu) }
        })
        // INVARIANT: The number comes from the mask, and `self` holds the lock for the lifetime.
        .map(|number| OnlineCpu {
            number,
            _guard: PhantomData,
        })
    }
}

impl Drop for HotplugGuard {
    fn drop(&mut self) {
        // SAFETY: By the invariant this task holds the lock for reading.
        unsafe { helpers::labyrinth_cpus_read_unlock() };
    }
}

/// Turns a "next CPU after" function into an iterator.
fn walk(next: impl Fn(c_int) -> c_int) -> impl Iterator<Item = u32> {
    let end = nr_cpu_ids();
    let mut cpu: c_int = -1;

    core::iter::from_fn(move || {
        cpu = next(cpu);
        u32::try_from(cpu).ok().filter(|&number| number < end)
    })
}
