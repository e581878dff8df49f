// SPDX-License-Identifier: GPL-2.0

//! Numbers that each CPU counts for itself.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use super::{
    cpu,
    helpers, //
};
use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// `N` counters for each possible CPU, all of them zero at first.
///
/// Every CPU writes to its own, so that CPUs do not fight over cache lines, and an update is one
/// instruction where the architecture has one that is atomic on its CPU: no lock, no disabled
/// interrupts, no call. What is read is the sum over all CPUs.
///
/// All operations may be called in any context. An update comes after everything that the CPU has done
/// before: whoever sees it in [`Self::sum`] sees that, too.
///
/// # Invariants
///
/// `base` is a live per-CPU allocation of `N` aligned 64-bit words that belongs to this value.
pub(crate) struct CpuCounters<const N: usize> {
    base: NonNull<c_void>,
}

// SAFETY: The counters are plain memory that is not tied to the thread that allocated it.
unsafe impl<const N: usize> Send for CpuCounters<N> {}
// SAFETY: The words are only accessed by single instructions or atomic operations.
unsafe impl<const N: usize> Sync for CpuCounters<N> {}

impl<const N: usize> CpuCounters<N> {
    /// Allocates the counters. Task context only, may sleep.
    pub(crate) fn new() -> Result<Self, AllocError> {
        const {
            // PCPU_MIN_UNIT_SIZE: the allocator refuses more.
            assert!(
                N * size_of::<u64>() <= 32 << 10,
                "too large for per-CPU memory"
            );
        };

        // SAFETY: Task context; size and alignment are those of an array of words.
        let base =
            unsafe { helpers::labyrinth_percpu_alloc(N * size_of::<u64>(), align_of::<u64>()) };
        // INVARIANT: The allocation is fresh, zeroed, and large and aligned enough.
        Ok(Self {
            base: NonNull::new(base).ok_or(AllocError)?,
        })
    }

    /// Adds `n` to the counter of this CPU. `index` is less than `N`; what is not is ignored.
    #[inline(always)]
    pub(crate) fn add(&self, index: usize, n: u64) {
        if index < N {
            // SAFETY: By the invariant there is such a word in a live per-CPU allocation.
            unsafe { counter_imp::add(self.base, index, n) };
        }
    }

    /// Makes the counter of this CPU at least `n`. `index` is less than `N`; what is not is ignored.
    #[inline(always)]
    pub(crate) fn raise(&self, index: usize, n: u64) {
        // SAFETY: By the invariant there is such a word in a live per-CPU allocation.
        if index < N && unsafe { counter_imp::read(self.base, index) } < n {
            // SAFETY: As above.
            unsafe { helpers::labyrinth_percpu_raise(self.base.as_ptr(), index, n) };
        }
    }

    /// The sum of one counter over all CPUs, before everything that this thread reads later.
    pub(crate) fn sum(&self, index: usize) -> u64 {
        self.each(index).fold(0, u64::wrapping_add)
    }

    /// The largest value of one counter.
    pub(crate) fn max(&self, index: usize) -> u64 {
        self.each(index).max().unwrap_or(0)
    }

    /// The value of one counter on one possible CPU.
    pub(crate) fn of(&self, index: usize, cpu: u32) -> u64 {
        if index < N && cpu::is_possible(cpu) {
            // SAFETY: By the invariant there is such a word, of this possible CPU.
            unsafe { helpers::labyrinth_percpu_read(self.base.as_ptr(), cpu, index) }
        } else {
            0
        }
    }

    /// Sets one counter to zero on the CPUs that `which` chooses. For counters that are raised, not
    /// added to: an addition at the same time may undo it.
    pub(crate) fn clear(&self, index: usize, which: impl Fn(u32) -> bool) {
        for cpu in cpu::possible().filter(|&cpu| index < N && which(cpu)) {
            // SAFETY: By the invariant there is such a word, of this possible CPU.
            unsafe { helpers::labyrinth_percpu_clear(self.base.as_ptr(), cpu, index) };
        }
    }

    fn each(&self, index: usize) -> impl Iterator<Item = u64> + use<'_, N> {
        cpu::possible().filter(move |_| index < N).map(move |cpu| {
            // SAFETY: As above.
            unsafe { helpers::labyrinth_percpu_read(self.base.as_ptr(), cpu, index) }
        })
    }
}

impl<const N: usize> Drop for CpuCounters<N> {
    /// Task and softirq context.
    fn drop(&mut self) {
        // SAFETY: By the invariant the allocation is ours, and nobody has a reference any more.
        unsafe { helpers::labyrinth_percpu_free(self.base.as_ptr()) };
    }
}

/// Updates by x86 instructions. They need no lock prefix: only the CPU itself adds to its words.
#[cfg(all(target_arch = "x86_64", CONFIG_SMP, not(CONFIG_UML)))]
mod counter_imp {
    use super::{
        c_void,
        NonNull, //
    };
    use core::arch::asm;

    /// Adds to a word of this CPU.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation with more than `index` words.
    #[inline(always)]
    pub(super) unsafe fn add(base: NonNull<c_void>, index: usize, n: u64) {
        // SAFETY: The word is in this CPU's copy, whichever CPU this is, and one instruction reads
        // and writes it.
        unsafe {
            asm!(
                "add qword ptr gs:[{base} + 8 * {index}], {n}",
                base = in(reg) base.as_ptr(),
                index = in(reg) index,
                n = in(reg) n,
                options(nostack)
            )
        };
    }

    /// Reads a word of this CPU.
    ///
    /// # Safety
    ///
    /// As for [`add`].
    #[inline(always)]
    pub(super) unsafe fn read(base: NonNull<c_void>, index: usize) -> u64 {
        let value;
        // SAFETY: As for `add`.
        unsafe {
            asm!(
                "mov {value}, qword ptr gs:[{base} + 8 * {index}]",
                base = in(reg) base.as_ptr(),
                index = in(reg) index,
                value = out(reg) value,
                options(nostack, readonly, preserves_flags)
            )
        };
        value
    }
}

/// Updates by C helpers, on any architecture.
#[cfg(not(all(target_arch = "x86_64", CONFIG_SMP, not(CONFIG_UML))))]
mod counter_imp {
    use super::{
        c_void,
        helpers,
        NonNull, //
    };

    /// Adds to a word of this CPU.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation with more than `index` words.
    #[inline]
    pub(super) unsafe fn add(base: NonNull<c_void>, index: usize, n: u64) {
        // SAFETY: As the caller promises.
        unsafe { helpers::labyrinth_percpu_add(base.as_ptr(), index, n) };
    }

    /// Reads a word of this CPU.
    ///
    /// # Safety
    ///
    /// As for [`add`].
    #[inline]
    pub(super) unsafe fn read(base: NonNull<c_void>, index: usize) -> u64 {
        // SAFETY: As the caller promises.
        unsafe { helpers::labyrinth_percpu_read_here(base.as_ptr(), index) }
    }
}

/// A number that one holder writes at a time and anybody may read at any time.
///
/// It costs a load and a store, inlined, and no atomic read-modify-write: two writers at a time would
/// lose an update (and nothing else). Meant for the shared part of a
/// [`CpuCell`](super::percpu_cell::CpuCell), which only the holder of the private part writes.
///
/// Any context.
#[repr(transparent)]
pub(crate) struct Tally(UnsafeCell<u64>);

// SAFETY: The value is only accessed by volatile loads and stores of an aligned word, which the
// kernel's memory model takes as `READ_ONCE()` and `WRITE_ONCE()`: races are defined.
unsafe impl Sync for Tally {}

impl Tally {
    /// Makes one.
    pub(crate) const fn new(value: u64) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value.
    #[inline(always)]
    pub(crate) fn read(&self) -> u64 {
        // SAFETY: Valid and aligned; races are defined, see above.
        unsafe { self.0.get().read_volatile() }
    }

    /// Sets the value.
    #[inline(always)]
    pub(crate) fn set(&self, value: u64) {
        // SAFETY: As for `read`.
        unsafe { self.0.get().write_volatile(value) };
    }

    /// Adds `n`. The caller should be the only writer.
    #[inline(always)]
    pub(crate) fn add(&self, n: u64) {
        self.set(self.read().wrapping_add(n));
    }
}
