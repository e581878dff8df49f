// SPDX-License-Identifier: GPL-2.0

//! Per-CPU counters.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::ffi::{
    arch,
    cpu::online,
    helpers, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    alloc::AllocError,
    bindings,
    prelude::*, //
};

/// `N` counters for each possible CPU, all of them zero at first.
///
/// Every CPU writes to its own counters, so that CPUs do not compete for cache lines. On an
/// architecture with an add that is atomic on its CPU, an update is one instruction: no lock, no
/// disabled interrupts, no call. Reads return the sum over all CPUs.
///
/// All operations may be called in any context. An update comes after everything that the CPU has
/// done before: code that sees the update in [`Self::sum`] sees that, too.
///
/// # Invariants
///
/// `base` is a live per-CPU allocation of `N` aligned 64-bit words that belongs to this value.
pub struct CpuCounters<const N: usize> {
    base: NonNull<c_void>,
}

// SAFETY: The counters are plain memory that is not tied to the thread that allocated it.
unsafe impl<const N: usize> Send for CpuCounters<N> {}
// SAFETY: The words are only accessed by single instructions or atomic operations.
unsafe impl<const N: usize> Sync for CpuCounters<N> {}

impl<const N: usize> CpuCounters<N> {
    /// Allocates the counters. Task context only, may sleep.
    pub fn new() -> Result<Self, AllocError> {
        const {
            // The allocator refuses more than PCPU_MIN_UNIT_SIZE.
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

    /// Adds `n` to the counter of this CPU. If `index` is not less than `N`, nothing is counted.
    #[inline(always)]
    pub fn add(&self, index: usize, n: u64) {
        self.all().add(index, n);
    }

    /// Returns all counters, to update several of them.
    #[inline(always)]
    pub(crate) fn all(&self) -> CounterSlice<'_, N> {
        // INVARIANT: `base` is the first of `N` words, by our own invariant.
        CounterSlice {
            first: self.base,
            _counters: PhantomData,
        }
    }

    /// Returns the sum of one counter over all CPUs. The counter is read before everything that
    /// this thread reads later.
    pub fn sum(&self, index: usize) -> u64 {
        self.each(index).fold(0, u64::wrapping_add)
    }

    /// Adds the sums of the counters from `first` on to `sums`, one to each element. Elements
    /// without a counter stay unchanged. The counters are read before everything that this thread
    /// reads later.
    pub(crate) fn sum_each(&self, first: usize, sums: &mut [u64]) {
        let count = sums.len().min(N.saturating_sub(first));

        for cpu in online::possible() {
            // SAFETY: By the invariant there are `count` words from `first` on, of this possible
            // CPU; `sums` has as many.
            unsafe {
                helpers::labyrinth_percpu_add_up(
                    self.base.as_ptr(),
                    cpu,
                    first,
                    count,
                    sums.as_mut_ptr(),
                )
            };
        }
    }

    /// Returns the largest value of one counter.
    pub(crate) fn max(&self, index: usize) -> u64 {
        self.each(index).max().unwrap_or(0)
    }

    /// Returns the value of one counter on one possible CPU.
    pub fn of(&self, index: usize, cpu: u32) -> u64 {
        if index < N && online::is_possible(cpu) {
            // SAFETY: By the invariant there is such a word, of this possible CPU.
            unsafe { helpers::labyrinth_percpu_read(self.base.as_ptr(), cpu, index) }
        } else {
            0
        }
    }

    /// Sets one counter to zero on the CPUs that `which` chooses. Only for counters that are
    /// raised, not added to: a concurrent addition may undo this. A concurrent
    /// [`CounterSlice::raise`] may have compared with the old value.
    pub(crate) fn clear(&self, index: usize, which: impl Fn(u32) -> bool) {
        for cpu in online::possible().filter(|&cpu| index < N && which(cpu)) {
            // SAFETY: By the invariant there is such a word, of this possible CPU.
            unsafe { helpers::labyrinth_percpu_clear(self.base.as_ptr(), cpu, index) };
        }
    }

    fn each(&self, index: usize) -> impl Iterator<Item = u64> + use<'_, N> {
        online::possible()
            .filter(move |_| index < N)
            .map(move |cpu| {
                // SAFETY: As above.
                unsafe { helpers::labyrinth_percpu_read(self.base.as_ptr(), cpu, index) }
            })
    }
}

impl<const N: usize> Drop for CpuCounters<N> {
    /// Task and softirq context.
    fn drop(&mut self) {
        // SAFETY: By the invariant the allocation is ours, and no reference exists any more.
        unsafe { helpers::labyrinth_percpu_free(self.base.as_ptr()) };
    }
}

/// Two sets of `N` counters for each possible CPU. One of them is *active*: updates go there.
///
/// So the other set comes to rest, and can be read once no update of it is in progress. An update
/// may be late: it may reach the set that it found active after the other set was activated.
///
/// # Invariants
///
/// `active` is the base of one of `sets`.
pub(crate) struct CpuCounterSets<const N: usize> {
    sets: [CpuCounters<N>; 2],
    active: UnsafeCell<NonNull<c_void>>,
}

// SAFETY: The sets and the pointer are not tied to the thread that made them.
unsafe impl<const N: usize> Send for CpuCounterSets<N> {}
// SAFETY: The sets can be shared. `active` is only accessed by volatile loads and stores of an
// aligned word, which the kernel's memory model takes as `READ_ONCE()` and `WRITE_ONCE()`: races
// are defined.
unsafe impl<const N: usize> Sync for CpuCounterSets<N> {}

/// One of two sets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Set {
    /// The set that is active at first.
    First = 0,
    /// The other set.
    Second = 1,
}

impl Set {
    /// Returns the other one of the two sets.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

impl<const N: usize> CpuCounterSets<N> {
    /// Allocates the counters. Task context only, may sleep.
    pub(crate) fn new() -> Result<Self, AllocError> {
        let sets = [CpuCounters::new()?, CpuCounters::new()?];
        // INVARIANT: The base of the first set.
        Ok(Self {
            active: UnsafeCell::new(sets[Set::First as usize].base),
            sets,
        })
    }

    /// Returns all counters of the active set, to update several of them. Any context.
    #[inline(always)]
    pub(crate) fn active(&self) -> CounterSlice<'_, N> {
        // INVARIANT: By our own invariant the base of a set, which lives as long as `self`.
        CounterSlice {
            // SAFETY: Valid and aligned; races are defined, see above.
            first: unsafe { self.active.get().read_volatile() },
            _counters: PhantomData,
        }
    }

    /// Makes a set the active set. Any context.
    pub(crate) fn activate(&self, set: Set) {
        // INVARIANT: The base of a set.
        // SAFETY: As for `active`.
        unsafe { self.active.get().write_volatile(self.of(set).base) };
    }

    /// Returns a set, to read it, or to clear counters that are raised. Any context.
    pub(crate) fn of(&self, set: Set) -> &CpuCounters<N> {
        &self.sets[set as usize]
    }
}

/// A memory barrier on every CPU: when this returns, each CPU sees what the caller wrote before,
/// and the caller sees what each CPU had done by then. Task context only, interrupts enabled; waits
/// for all online CPUs.
///
/// A CPU that is offline has passed through a barrier since it last did anything.
///
/// C header: [`include/linux/smp.h`](srctree/include/linux/smp.h)
pub(crate) fn barrier_on_all_cpus() {
    // SAFETY: This interrupts all CPUs for a moment and accesses no memory of ours. If interrupts
    // were disabled here, the kernel would warn, and two callers could wait for each other.
    unsafe { bindings::kick_all_cpus_sync() };
}

/// Some counters in a row, of the CPU that this runs on.
///
/// # Invariants
///
/// `first` is the first of at least `LEN` words, which are all in the per-CPU allocation of the
/// borrowed [`CpuCounters`].
#[derive(Clone, Copy)]
pub(crate) struct CounterSlice<'a, const LEN: usize> {
    first: NonNull<c_void>,
    _counters: PhantomData<&'a c_void>,
}

impl<'a, const LEN: usize> CounterSlice<'a, LEN> {
    /// Adds `n` to a counter. If `index` is not less than `LEN`, nothing is counted. Any context.
    #[inline(always)]
    pub(crate) fn add(self, index: usize, n: u64) {
        if index < LEN {
            // SAFETY: By the invariant there is such a word in a live per-CPU allocation.
            unsafe { arch::counter::add(self.first, index, n) };
        }
    }

    /// Adds 1 to one of the counters after the first `HEAD`. If `index` is not less than `LEN -
    /// HEAD`, nothing is counted. Any context.
    #[inline(always)]
    pub(crate) fn increment_after<const HEAD: usize>(self, index: usize) {
        if index < const { LEN - HEAD } {
            // SAFETY: By the invariant there is such a word in a live per-CPU allocation.
            unsafe { arch::counter::increment_after::<HEAD>(self.first, index) };
        }
    }

    /// Returns a window of `WINDOW` counters. The first window begins here, and each further one
    /// `STEP` counters later, as many as fit. `number` is taken modulo the number of windows.
    #[inline(always)]
    pub(crate) fn window<const WINDOW: usize, const STEP: usize>(
        self,
        number: usize,
    ) -> CounterSlice<'a, WINDOW> {
        const { assert!(STEP != 0 && WINDOW <= LEN) };
        let windows = const { (LEN - WINDOW) / STEP + 1 };
        let index = (number % windows).wrapping_mul(STEP);
        let first = self.first.as_ptr().cast::<u64>().wrapping_add(index);
        // INVARIANT: The index is at most `LEN - WINDOW`, so there are `WINDOW` words from there
        // on.
        CounterSlice {
            // SAFETY: No word of a per-CPU allocation is at null.
            first: unsafe { NonNull::new_unchecked(first.cast()) },
            _counters: PhantomData,
        }
    }

    /// Adds `n` to the counter with a fixed index. Any context.
    #[inline(always)]
    pub(crate) fn add_at<const INDEX: usize>(self, n: u64) {
        const { assert!(INDEX < LEN) };
        // SAFETY: As for `add`.
        unsafe { arch::counter::add_at::<INDEX>(self.first, n) };
    }

    /// Adds 1 to the counter with a fixed index. Any context.
    #[inline(always)]
    pub(crate) fn increment_at<const INDEX: usize>(self) {
        const { assert!(INDEX < LEN) };
        // SAFETY: As for `add`.
        unsafe { arch::counter::increment_at::<INDEX>(self.first) };
    }

    /// Raises the counter with a fixed index to `n`, unless it is as large already. Returns whether
    /// it was less. Any context.
    ///
    /// A plain load checks whether the counter is large enough already. Nothing that happens after
    /// the load makes the check wrong: an interrupt can only raise the counter, and a task that is
    /// moved has compared with the counter of a CPU that it was on. Only a new maximum is written,
    /// by an exchange that compares again. Only code that knows of every update that may have read
    /// the counter before may clear it, see [`stats::samples`](crate::stats).
    #[inline(always)]
    pub(crate) fn raise<const INDEX: usize>(self, n: u64) -> bool {
        const { assert!(INDEX < LEN) };
        // SAFETY: As for `add`.
        let below = unsafe { arch::counter::is_below::<INDEX>(self.first, n) };
        if below {
            // SAFETY: As for `add`.
            unsafe { helpers::labyrinth_percpu_raise(self.first.as_ptr(), INDEX, n) };
        }
        below
    }
}

/// A number that one holder writes at a time and anybody may read at any time. Its methods may be
/// called in any context.
///
/// It costs a load and a store, inlined, and no atomic read-modify-write. Two writers at a time
/// would lose an update (and nothing else). It is meant for the shared part of a
/// [`CpuCell`](crate::ffi::percpu::cell::CpuCell), which only the holder of the private part
/// writes.
///
/// Any context.
#[repr(transparent)]
pub struct Counter(UnsafeCell<u64>);

// SAFETY: The value is only accessed by volatile loads and stores of an aligned word, which the
// kernel's memory model takes as `READ_ONCE()` and `WRITE_ONCE()`: races are defined.
unsafe impl Sync for Counter {}

impl Counter {
    /// Makes a counter with this value.
    pub const fn new(value: u64) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Returns the value.
    #[inline(always)]
    pub fn read(&self) -> u64 {
        // SAFETY: Valid and aligned; races are defined, see above.
        unsafe { self.0.get().read_volatile() }
    }

    /// Sets the value.
    #[inline(always)]
    pub fn set(&self, value: u64) {
        // SAFETY: As for `read`.
        unsafe { self.0.get().write_volatile(value) };
    }

    /// Adds `n`. The caller should be the only writer.
    #[inline(always)]
    pub fn add(&self, n: u64) {
        self.set(self.read().wrapping_add(n));
    }

    /// Subtracts `n`. The caller should be the only writer.
    #[inline(always)]
    pub(crate) fn subtract(&self, n: u64) {
        self.set(self.read().wrapping_sub(n));
    }
}
