// SPDX-License-Identifier: GPL-2.0

//! A stack of values for each CPU.
//!
//! Access to a stack follows the protocol of [`cell`](super::cell). The values lie behind the body
//! of the cell, in the memory of their own CPU's node:
//!
//! ```text
//!   token │ len │ capacity │ S │ slots …
//! ```
//!
//! The number of values is in the shared part of the body, so that any code may read it while the
//! holder changes it. Only the holder writes it.

use super::{
    cell::{
        Body,
        CpuCell, //
    },
    counters::Counter, //
};
use core::{
    marker::PhantomData,
    ops::Range,
    ptr::NonNull, //
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The shared part of a body.
///
/// # Invariants
///
/// Behind the body there are `capacity` slots. While the body is free, the first `len` of them are
/// initialised. Only [`Stack`] changes `len`.
#[repr(C)]
struct Head<S> {
    len: Counter,
    capacity: usize,
    shared: S,
}

/// What lies before the slots of a CPU.
type Front<T, S> = Body<PhantomData<T>, Head<S>>;

/// A stack of `T`s for each possible CPU, beside an `S` that all code may read.
///
/// # Invariants
///
/// Each body was made by [`Self::new`], with its slots behind it.
pub(crate) struct CpuStack<T: Send, S: Sync> {
    /// The values are in its bodies. `PhantomData` says so to the compiler.
    cell: CpuCell<PhantomData<T>, Head<S>>,
}

/// The stack of one CPU, for its holder.
///
/// # Invariants
///
/// The slots are those of a body that is held, and the first `len` of them are initialised.
pub(crate) struct Stack<'a, T> {
    len: &'a Counter,
    capacity: usize,
    slots: NonNull<T>,
    _values: PhantomData<&'a mut T>,
}

impl<T: Send, S: Sync> CpuStack<T, S> {
    /// Makes empty stacks with space for `capacity` values each. Task context only, may sleep.
    /// Fails if there is no memory, or if that is more than 32 KiB for a CPU.
    pub(crate) fn new(capacity: usize, mut shared: impl FnMut() -> S) -> Result<Self, AllocError> {
        const { assert!(size_of::<T>() != 0 && align_of::<T>() <= align_of::<Front<T, S>>()) };
        let slots = capacity.checked_mul(size_of::<T>()).ok_or(AllocError)?;
        let cell = CpuCell::with_space_behind(slots, || {
            // INVARIANT: As many slots are behind the body, and none of them is initialised.
            let head = Head {
                len: Counter::new(0),
                capacity,
                shared: shared(),
            };
            Ok((PhantomData, head))
        })?;
        // INVARIANT: Just made.
        Ok(Self { cell })
    }

    /// Returns the stack of a body.
    ///
    /// # Safety
    ///
    /// `body` must be one of `self`, and held by the caller for as long as the result exists.
    #[inline(always)]
    unsafe fn of_body<'a>(body: NonNull<Front<T, S>>) -> (Stack<'a, T>, &'a S)
    where
        T: 'a,
        S: 'a,
    {
        // SAFETY: A body that is held is initialised, and only shared references to this part
        // exist.
        let head = unsafe { &(*body.as_ptr()).shared };
        // INVARIANT: By that of the head, and as the caller holds the body.
        let stack = Stack {
            len: &head.len,
            capacity: head.capacity,
            // SAFETY: The slots are in the same allocation, right behind the body.
            slots: unsafe { body.add(1) }.cast(),
            _values: PhantomData,
        };
        (stack, &head.shared)
    }

    /// Runs `access` with this CPU's stack. Contexts and result: as for [`CpuCell::with`].
    #[inline(always)]
    pub(crate) fn with<R>(
        &self,
        access: impl for<'a> FnOnce(&mut Stack<'a, T>, &'a S) -> R,
    ) -> Option<R> {
        self.cell.with_body(|body| {
            // SAFETY: A body of ours, which is held until this closure returns.
            let (mut stack, shared) = unsafe { Self::of_body(body) };
            access(&mut stack, shared)
        })
    }

    /// Runs `access` with the stack of any CPU. Contexts and result: as for [`CpuCell::with_of`].
    pub(crate) fn with_of<R: Send>(
        &self,
        cpu: u32,
        access: impl for<'a> FnOnce(&mut Stack<'a, T>, &'a S) -> R + Send,
    ) -> Option<R> {
        self.cell.with_body_of(cpu, |body| {
            // SAFETY: As in `with`.
            let (mut stack, shared) = unsafe { Self::of_body(body) };
            access(&mut stack, shared)
        })
    }

    /// Returns the shared parts, by CPU number, with the number of values. Any context.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (u32, usize, &S)> {
        let shared = self.cell.shared();
        shared.map(|(cpu, head)| (cpu, head.len.read() as usize, &head.shared))
    }

    /// Returns how many values are in the stack of a CPU, 0 if there can be no such CPU. Any
    /// context.
    pub(crate) fn len_of(&self, cpu: u32) -> usize {
        self.cell
            .shared_of(cpu)
            .map_or(0, |head| head.len.read() as usize)
    }
}

impl<T: Send, S: Sync> Drop for CpuStack<T, S> {
    /// Drops all values, in a context in which they may be dropped.
    fn drop(&mut self) {
        for (cpu, ..) in self.shared() {
            // The values are dropped here, because the closure runs with preemption disabled.
            while self
                .with_of(cpu, |stack, _| stack.pop())
                .flatten()
                .is_some()
            {}
        }
    }
}

impl<T> Stack<'_, T> {
    /// Puts `value` on top. The error has the value if the stack is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, value: T) -> Result<(), T> {
        let len = self.len();
        if len >= self.capacity {
            return Err(value);
        }
        // SAFETY: By the invariant there is such a slot, which is not initialised.
        unsafe { self.slots.add(len).write(value) };
        // INVARIANT: The slot was just initialised.
        self.len.add(1);
        Ok(())
    }

    /// Takes the value on top, if there is one.
    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let top = self.len().checked_sub(1)?;
        // SAFETY: By the invariant the slot is initialised.
        let value = unsafe { self.slots.add(top).read() };
        // INVARIANT: The slot whose value was moved out is not one of the first any more.
        self.len.subtract(1);
        Some(value)
    }

    /// Takes the topmost value that `wanted` accepts in the slots of `range`, which are counted
    /// from the bottom. The value on top of the stack moves into the free slot.
    pub(crate) fn take_where(
        &mut self,
        range: Range<usize>,
        wanted: impl Fn(&T) -> bool,
    ) -> Option<T> {
        // SAFETY: By the invariant the first slots are initialised, and `self` is borrowed mutably.
        let values = unsafe { core::slice::from_raw_parts_mut(self.slots.as_ptr(), self.len()) };
        let end = range.end.min(values.len());
        let found = values.get(range.start..end)?.iter().rposition(wanted)?;
        let top = values.len() - 1;
        values.swap(range.start + found, top);
        self.pop()
    }

    /// Returns the number of values.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len.read() as usize
    }
}
