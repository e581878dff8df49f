// SPDX-License-Identifier: GPL-2.0

//! Threads as CPUs.

use std::cell::Cell;

/// The number of CPUs.
pub const CPUS: usize = 2;

thread_local! {
    static CPU: Cell<usize> = const { Cell::new(0) };
}

extern "C" {
    fn sched_setaffinity(thread: i32, size: usize, mask: *const u64) -> i32;
}

/// Makes this thread a CPU, and keeps it on the real CPU with this number, if there is one.
pub fn run_as(cpu: usize) {
    assert!(cpu < CPUS);
    CPU.set(cpu);
    let mask = 1_u64 << cpu;
    // SAFETY: The mask is as large as the size says. The call may fail.
    unsafe { sched_setaffinity(0, size_of_val(&mask), &mask) };
}

/// Returns the number of this CPU.
#[inline(always)]
pub(crate) fn this() -> usize {
    CPU.get()
}

/// Stands for the library's module of this name.
pub(crate) mod online {
    use super::CPUS;

    pub(crate) fn possible() -> impl Iterator<Item = u32> {
        0..CPUS as u32
    }

    pub(crate) fn is_possible(cpu: u32) -> bool {
        (cpu as usize) < CPUS
    }
}
