// SPDX-License-Identifier: GPL-2.0

//! Iterators over CPUs.
//!
//! C header: [`include/linux/cpumask.h`](srctree/include/linux/cpumask.h)

use crate::ffi::{
    context::Task,
    helpers, //
};
use core::marker::PhantomData;
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

/// Returns whether a CPU can ever come online while this kernel runs. Any context.
pub(crate) fn is_possible(cpu: u32) -> bool {
    // SAFETY: As in `possible`: the argument is the number before that of a CPU, or -1.
    let next = |before| unsafe { helpers::labyrinth_next_possible_cpu(before) };
    cpu < nr_cpu_ids() && next(cpu as c_int - 1) == cpu as c_int
}

/// A CPU that stays online for `'a`. The value may be used in any thread or context during `'a`.
///
/// # Invariants
///
/// The number is that of an online CPU, and a task holds the CPU hotplug lock for `'a`.
#[derive(Clone, Copy)]
pub struct OnlineCpu<'a> {
    number: u32,
    // This is not a reference to the guard, because the guard must stay in its thread.
    _during: PhantomData<&'a ()>,
}

impl OnlineCpu<'_> {
    /// # Safety
    ///
    /// The CPU must be online, and the CPU hotplug lock must be held for as long as the value
    /// exists.
    pub(super) unsafe fn assume(number: u32) -> Self {
        // INVARIANT: By the requirement above.
        Self {
            number,
            _during: PhantomData,
        }
    }

    /// The CPU's number. Any context.
    pub fn number(self) -> u32 {
        self.number
    }
}

/// Keeps CPUs from coming online and going offline.
///
/// May sleep. It must not be held across anything that waits for a CPU hotplug operation.
///
/// # Invariants
///
/// The CPU hotplug lock is held for reading by the current task for as long as the value exists.
pub struct HotplugGuard(NotThreadSafe);

impl HotplugGuard {
    /// Takes the hotplug lock for reading. Task context only, may sleep.
    pub fn new(_cx: &Task) -> Self {
        // SAFETY: `_cx` proves task context; `drop` releases the lock in the same task.
        unsafe { helpers::labyrinth_cpus_read_lock() };
        // INVARIANT: The lock was just taken and only `drop` releases it.
        Self(NotThreadSafe)
    }

    /// Returns the CPUs that are online. They stay online while `self` lives. Any context.
    pub fn online(&self) -> impl Iterator<Item = OnlineCpu<'_>> {
        walk(|cpu| {
            // SAFETY: Reads the mask of online CPUs, which does not change under the hotplug lock.
            unsafe { helpers::labyrinth_next_online_cpu(cpu) }
        })
        // INVARIANT: The number comes from the mask, and `self` holds the lock for the lifetime.
        .map(|number| OnlineCpu {
            number,
            _during: PhantomData,
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
