// SPDX-License-Identifier: GPL-2.0

//! Handles: numbers that stand for values, for code that may forget, invent or keep them.
//!
//! A [`Handle`] is a number, not an address. For any number that C passes, the lookup in the table
//! returns the value that the number stands for, or nothing. No number from C is ever dereferenced.
//! A number is not used twice while the module is loaded, so the handle of a removed value stays
//! invalid.
//!
//! ```text
//!   handle:   generation (47 bits) │ slot (10 bits)      a generation for each value ever inserted
//! ```
//!
//! A lookup takes no lock and is allowed in any context but NMI. RCU keeps the value in memory
//! while it is in use.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use crate::ffi::context::{
    with_task,
    NoSleep, //
};
use core::{
    num::NonZero,
    ptr, //
};
use kernel::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Full,
            Relaxed, //
        },
        rcu, //
    }, //
};

const SLOT_BITS: u32 = 10;
/// The number of slots, the most values that a table can have.
pub(crate) const SLOTS: usize = 1 << SLOT_BITS;

/// The first generation. With this value the handles begin at 1 GiB, so the report of an access
/// through a handle does not look like an access to a member of NULL.
const FIRST: usize = 1 << 20;

/// The number of bits that the largest handle has.
pub(crate) const HANDLE_BITS: u32 = 57;

const _: () = assert!(usize::BITS == 64, "marks and handles need a 64-bit kernel");

/// A number that may stand for a value in a [`Handles`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Handle(NonZero<usize>);

impl Handle {
    /// Makes a handle of any number but 0. Any context.
    #[inline]
    pub fn from_raw(raw: usize) -> Option<Self> {
        NonZero::new(raw).map(Self)
    }

    /// Returns the number. Any context.
    #[inline]
    pub fn raw(self) -> usize {
        self.0.get()
    }

    fn slot(self) -> usize {
        self.raw() & (SLOTS - 1)
    }
}

/// A table of up to 1024 values, fit for a `static`.
///
/// # Invariants
///
/// Each slot is null or holds an entry that `insert` has boxed. Only the task that takes the entry
/// out of the slot frees it, after a grace period of RCU.
pub struct Handles<T: Send + Sync + 'static> {
    slots: [Atomic<*mut Entry<T>>; SLOTS],
    /// The generation of the next value.
    next: Atomic<usize>,
}

struct Entry<T> {
    handle: usize,
    value: T,
}

impl<T: Send + Sync + 'static> Handles<T> {
    /// An empty table.
    #[allow(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> Self {
        // INVARIANT: All slots are null.
        Self {
            slots: [const { Atomic::new(ptr::null_mut()) }; SLOTS],
            next: Atomic::new(FIRST),
        }
    }

    /// Inserts a value and returns its handle. Task context only, may sleep. Fails with `ENOSPC` if
    /// the table is full.
    pub fn insert(&self, value: T) -> Result<Handle> {
        let generation = self.next.fetch_add(1, Relaxed);
        let entry = KBox::into_raw(KBox::new(Entry { handle: 0, value }, GFP_KERNEL)?);

        for (i, slot) in self.slots.iter().enumerate() {
            let raw = generation << SLOT_BITS | i;
            // SAFETY: Boxed above and not in a slot yet, so no other code has the address.
            unsafe { (*entry).handle = raw };
            // INVARIANT: A boxed entry; the slot was null.
            if slot.cmpxchg(ptr::null_mut(), entry, Full).is_ok() {
                return Handle::from_raw(raw).ok_or(EINVAL);
            }
        }
        // SAFETY: Boxed above, and no slot took it.
        drop(unsafe { KBox::from_raw(entry) });
        Err(ENOSPC)
    }

    /// Runs `work` with the value that a handle stands for, if there is one, and with `cx`. Any
    /// context but NMI, if `work` may run there.
    ///
    /// `work` must not sleep. It is `Send`, and so is the result: no token within its reach
    /// allows sleeping: `cx` does not, and [`with_task`] gives it none.
    /// `CONFIG_PROVE_LOCKING` reports functions that sleep without a token.
    #[inline]
    pub fn with<C: NoSleep, R: Send>(
        &self,
        handle: Handle,
        cx: &C,
        work: impl FnOnce(&T, &C) -> R + Send,
    ) -> Option<R> {
        let guard = rcu::read_lock();
        let entry = self.entry(handle, &guard)?;
        Some(work(&entry.value, cx))
    }

    /// Returns the entry of a handle, which is valid for as long as the guard exists.
    #[inline]
    fn entry<'a>(&'a self, handle: Handle, _guard: &'a rcu::Guard) -> Option<&'a Entry<T>> {
        // SAFETY: By the invariant null or a boxed entry. An entry is freed only after a grace
        // period that begins when it has left the slot, so not before the guard is dropped. No code
        // writes to an entry after it was put into the slot.
        let entry = unsafe { self.slots[handle.slot()].load(Acquire).as_ref() }?;
        (entry.handle == handle.raw()).then_some(entry)
    }

    /// Returns whether a handle was ever given out, even if its value was removed. Any context.
    pub(crate) fn issued(&self, handle: Handle) -> bool {
        let generation = handle.raw() >> SLOT_BITS;
        generation >= FIRST && generation < self.next.load(Relaxed)
    }

    /// Takes a value out of the table once it is no longer in use. Task context only, sleeps. In a
    /// context that may not sleep, above all in [`Self::with`], nothing changes.
    pub fn remove(&self, handle: Handle) -> Option<T> {
        with_task(|_| {
            let guard = rcu::read_lock();
            let entry = ptr::from_ref(self.entry(handle, &guard)?).cast_mut();

            // The entry is not freed before the guard is dropped, so the exchange cannot succeed
            // for a later entry at the same address.
            // INVARIANT: The slot is null, and this task must now free the entry.
            let taken = self.slots[handle.slot()].cmpxchg(entry, ptr::null_mut(), Full);
            drop(guard);
            taken.ok()?;
            // SAFETY: The token proves task context and no RCU read-side critical section.
            unsafe { bindings::synchronize_rcu() };
            // SAFETY: The entry came out of a slot, so `insert` has boxed it; a grace period has
            // passed.
            let entry = unsafe { KBox::from_raw(entry) };
            Some(KBox::into_inner(entry).value)
        })
        .ok()?
    }

    /// The handles of all values that are in the table. Any context but NMI.
    pub(crate) fn all(&self) -> impl Iterator<Item = Handle> + '_ {
        self.slots.iter().filter_map(|slot| {
            let _guard = rcu::read_lock();
            // SAFETY: As in `entry`: null, or not freed before the guard is dropped.
            let entry = unsafe { slot.load(Acquire).as_ref() }?;
            Handle::from_raw(entry.handle)
        })
    }
}
