// SPDX-License-Identifier: GPL-2.0

//! Per-CPU memory for values that are safe to share.
//!
//! [`PerCpu`] gives every possible CPU its own copy of a `T`, so that CPUs that write to their own
//! do not fight over cache lines. It does not promise that nobody else touches the local copy: a
//! task can be moved to another CPU, or be interrupted, between looking the copy up and using it.
//! Therefore `T` must be [`Sync`] (atomics), and a `&T` is all that is ever handed out. That makes
//! [`PerCpu::local`] and [`PerCpu::iter`] callable from any context.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use super::{
    cpu,
    helpers, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    }, //
};

/// A counter that one CPU writes most of the time and any CPU may read or write at any time.
///
/// All operations may be called in any context; in NMI only where the architecture has 64-bit atomic
/// instructions.
#[repr(transparent)]
pub(crate) struct Counter(Atomic<u64>);

// SAFETY: An `Atomic<u64>` has the representation of a `u64`, which may be zero.
unsafe impl Zeroable for Counter {}

impl Counter {
    /// Adds `n`.
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.0.add(n, Relaxed);
    }

    /// Adds `n`, after everything that this thread has done before: whoever sees the sum by
    /// [`Self::read_before`] sees that, too.
    #[inline]
    pub(crate) fn add_after(&self, n: u64) {
        self.0.fetch_add(n, Release);
    }

    /// The value.
    #[inline]
    pub(crate) fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// The value, before everything that this thread reads later.
    #[inline]
    pub(crate) fn read_before(&self) -> u64 {
        self.0.load(Acquire)
    }

    /// Makes the value at least `n`.
    #[inline]
    pub(crate) fn raise_to(&self, n: u64) {
        let mut value = self.read();
        while value < n {
            match self.0.cmpxchg(value, n, Relaxed) {
                Ok(_) => break,
                Err(now) => value = now,
            }
        }
    }

    /// Sets the value to zero.
    pub(crate) fn clear(&self) {
        self.0.store(0, Relaxed);
    }
}

/// A number that one holder writes at a time and anybody may read at any time.
///
/// Unlike a [`Counter`] it costs a load and a store, inlined, and no atomic read-modify-write: two
/// writers at a time would lose an update (and nothing else). Meant for the shared part of a
/// [`CpuCell`](super::percpu_cell::CpuCell), which only the holder of the private part writes.
///
/// Any context.
#[repr(transparent)]
pub(crate) struct Tally(UnsafeCell<u64>);

// SAFETY: The value is only accessed by volatile loads and stores of an aligned word, which the
// kernel's memory model takes as `READ_ONCE()` and `WRITE_ONCE()`: races are defined.
unsafe impl Sync for Tally {}

impl Tally {
    /// Zero.
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(0))
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

/// One `T` for each possible CPU.
///
/// # Invariants
///
/// `base` is a live per-CPU allocation that holds a valid `T` for each possible CPU and belongs to
/// this value.
pub(crate) struct PerCpu<T: Zeroable + Sync> {
    base: NonNull<c_void>,
    _copies: PhantomData<T>,
}

// SAFETY: The copies are plain memory that is not tied to the thread that allocated it; `T: Send`
// lets them be freed elsewhere.
unsafe impl<T: Zeroable + Sync + Send> Send for PerCpu<T> {}
// SAFETY: `&PerCpu<T>` only ever gives out `&T`, and `T` is `Sync`.
unsafe impl<T: Zeroable + Sync> Sync for PerCpu<T> {}

impl<T: Zeroable + Sync> PerCpu<T> {
    /// Allocates the copies, all of them zero. Task context only, may sleep.
    pub(crate) fn new() -> Result<Self, AllocError> {
        const {
            assert!(
                !core::mem::needs_drop::<T>(),
                "the copies are never dropped"
            );
            // PCPU_MIN_UNIT_SIZE: the allocator refuses more.
            assert!(size_of::<T>() <= 32 << 10, "too large for per-CPU memory");
        };

        // SAFETY: Task context; size and alignment are those of a type.
        let base = unsafe { helpers::labyrinth_percpu_alloc(size_of::<T>(), align_of::<T>()) };
        // INVARIANT: The allocation is fresh, zeroed, and large and aligned enough for a `T` on
        // each possible CPU; zero is a valid `T`.
        Ok(Self {
            base: NonNull::new(base).ok_or(AllocError)?,
            _copies: PhantomData,
        })
    }

    /// The copy of the CPU that this runs on, or ran on a moment ago.
    #[inline]
    pub(crate) fn local(&self) -> &T {
        // SAFETY: `base` is a live per-CPU allocation by the invariant.
        let copy = unsafe { helpers::labyrinth_percpu_local(self.base.as_ptr()) };
        // SAFETY: By the invariant this is a valid `T`; it lives as long as `self`, and only shared
        // references to it exist.
        unsafe { &*copy.cast::<T>() }
    }

    /// The copies of all possible CPUs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        cpu::possible().map(|cpu| {
            // SAFETY: `base` is a live per-CPU allocation and `cpu` is a possible CPU.
            let copy = unsafe { helpers::labyrinth_percpu_of(self.base.as_ptr(), cpu) };
            // SAFETY: As in `local`.
            unsafe { &*copy.cast::<T>() }
        })
    }
}

impl<T: Zeroable + Sync> Drop for PerCpu<T> {
    /// Task and softirq context.
    fn drop(&mut self) {
        // SAFETY: By the invariant the allocation is ours, and nobody has a reference any more.
        unsafe { helpers::labyrinth_percpu_free(self.base.as_ptr()) };
    }
}
