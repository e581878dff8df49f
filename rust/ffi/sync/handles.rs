// SPDX-License-Identifier: GPL-2.0

//! Handles: names for values that are given to code which may forget, invent or keep them.
//!
//! A [`Handle`] is a number and not an address. Whatever number comes back from C, looking it up in
//! the table gives the value that it stands for, or nothing: nothing is ever dereferenced on the
//! word of C. A number is not used twice while the module is loaded, so that of a removed value
//! stays dead.
//!
//! ```text
//!   handle:   generation (47 bits) │ slot (10 bits)      one generation for each value ever inserted
//! ```
//!
//! Looking up takes no lock and is allowed in any context but NMI: RCU keeps the value in memory
//! for as long as it is used.
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
/// How many values a table can have.
pub(crate) const SLOTS: usize = 1 << SLOT_BITS;

/// The first generation. So the handles begin at 1 GiB, and the report of an access through one
/// does not look like that of a member of NULL.
const FIRST: usize = 1 << 20;

/// How many bits a handle has at most.
pub(crate) const HANDLE_BITS: u32 = 57;

const _: () = assert!(usize::BITS == 64, "marks and handles need a 64-bit kernel");

/// A number that may stand for a value in a [`Handles`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Handle(NonZero<usize>);

impl Handle {
    /// A handle from anywhere, 0 excepted. Any context.
    #[inline]
    pub fn from_raw(raw: usize) -> Option<Self> {
        NonZero::new(raw).map(Self)
    }

    /// The number. Any context.
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
/// Each slot is null or holds an entry that was boxed by `insert` and is freed only by who takes it
/// out of the slot, after a grace period of RCU.
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

    /// Puts a value in and names it. Task context only, may sleep. `ENOSPC` if the table is full.
    pub fn insert(&self, value: T) -> Result<Handle> {
        let generation = self.next.fetch_add(1, Relaxed);
        let entry = KBox::into_raw(KBox::new(Entry { handle: 0, value }, GFP_KERNEL)?);

        for (i, slot) in self.slots.iter().enumerate() {
            let raw = generation << SLOT_BITS | i;
            // SAFETY: Boxed above and not in a slot yet, so nobody else knows it.
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
    /// It must not sleep. It is `Send`, and so is the result: the only token within its reach is
    /// `cx`, which does not allow to sleep, and [`with_task`] refuses it another one. What sleeps
    /// without asking for any is reported by `CONFIG_PROVE_LOCKING`.
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

    /// The entry of a handle, for as long as the guard exists.
    #[inline]
    fn entry<'a>(&'a self, handle: Handle, _guard: &'a rcu::Guard) -> Option<&'a Entry<T>> {
        // SAFETY: By the invariant null or a boxed entry, which is not freed before a grace period
        // has passed since it left the slot, that is not before the guard is dropped. After it was
        // put into the slot nobody writes to it.
        let entry = unsafe { self.slots[handle.slot()].load(Acquire).as_ref() }?;
        (entry.handle == handle.raw()).then_some(entry)
    }

    /// Whether a handle was ever given out, be its value still there or not. Any context.
    pub(crate) fn issued(&self, handle: Handle) -> bool {
        let generation = handle.raw() >> SLOT_BITS;
        generation >= FIRST && generation < self.next.load(Relaxed)
    }

    /// Takes a value out of the table, when nobody uses it any more. Task context only, sleeps.
    /// Where it may not sleep, above all in [`Self::with`], everything stays as it was.
    pub fn remove(&self, handle: Handle) -> Option<T> {
        with_task(|_| {
            let guard = rcu::read_lock();
            let entry = ptr::from_ref(self.entry(handle, &guard)?).cast_mut();

            // Before the guard is dropped the entry is not freed, so this is no later one at its
            // address.
            // INVARIANT: The slot is null, and it is now on us to free the entry.
            let taken = self.slots[handle.slot()].cmpxchg(entry, ptr::null_mut(), Full);
            drop(guard);
            taken.ok()?;
            // SAFETY: Task context and no RCU read-side section, as there is a token.
            unsafe { bindings::synchronize_rcu() };
            // SAFETY: It came out of a slot, so it was boxed by `insert`; a grace period has
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
