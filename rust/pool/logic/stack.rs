// SPDX-License-Identifier: GPL-2.0

//! A stack in memory of a fixed size.

use core::ops::{
    DerefMut,
    Range, //
};

/// A stack in slots that are allocated once. Neither [`Self::push`] nor [`Self::pop`] allocates.
///
/// # Invariants
///
/// The first `len` slots are `Some`, all others are `None`.
pub(crate) struct Stack<S> {
    slots: S,
    len: usize,
}

impl<T, S: DerefMut<Target = [Option<T>]>> Stack<S> {
    /// Makes an empty stack in `slots`, which must all be `None`. Their number is the capacity.
    pub(crate) fn new(slots: S) -> Self {
        debug_assert!(slots.iter().all(Option::is_none));
        // INVARIANT: All slots are `None`.
        Self { slots, len: 0 }
    }

    /// Puts `value` on top. The error has the value if the stack is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, value: T) -> Result<(), T> {
        let Some(slot) = self.slots.get_mut(self.len) else {
            return Err(value);
        };
        // By the invariant the slot is `None`. The compiler does not know that, and would drop it.
        core::mem::forget(slot.replace(value));
        // INVARIANT: The first slot that was `None` is `Some` now.
        self.len += 1;
        Ok(())
    }

    /// Takes the value on top, if there is one.
    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<T> {
        // If the stack is empty, the index wraps around, and no slice has such an index.
        let top = self.len.wrapping_sub(1);
        let value = self.slots.get_mut(top)?.take();
        // INVARIANT: The last slot that was `Some` is `None` now.
        self.len = top;
        value
    }

    /// Takes the topmost value that `wanted` accepts in the slots of `range`, which are counted
    /// from the bottom. The value on top of the stack moves into the free slot.
    pub(crate) fn take_where(
        &mut self,
        range: Range<usize>,
        wanted: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let end = range.end.min(self.len);
        let slots = self.slots.get(range.start..end)?;
        let found = slots
            .iter()
            .rposition(|slot| slot.as_ref().is_some_and(&wanted))?;
        self.slots.swap(range.start + found, self.len - 1);
        self.pop()
    }

    /// Returns the number of values.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

/// Takes values out of the lowest `len` places of a stack, in parts, so that others can use the
/// stack in between.
///
/// Calls `take` with at most `at_once` places, which must not be 0. As long as `take` finds a value
/// there, it is called for the same places again; then for the places below. The values are dropped
/// between the calls.
///
/// Returns the number of values. If `take` returns `None`, because the stack is in use, the error
/// has the number so far.
pub(crate) fn take_in_parts<T>(
    len: usize,
    at_once: usize,
    mut take: impl FnMut(Range<usize>) -> Option<Option<T>>,
) -> Result<usize, usize> {
    let mut taken = 0;
    let mut end = len;
    while end != 0 {
        // Others add and move values only above this place.
        let begin = end.saturating_sub(at_once);
        match take(begin..end) {
            Some(Some(_)) => taken += 1,
            Some(None) => end = begin,
            None => return Err(taken),
        }
    }
    Ok(taken)
}
