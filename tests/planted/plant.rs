// SPDX-License-Identifier: GPL-2.0

//! Faults that are planted for the test of the tests.
//!
//! One module has them all. Which of them it commits is chosen while it runs, none at first, and not
//! changed any more while pages are out.

use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// What the module does wrong. The first three are the kernel's to notice, and committed once. None of
/// the others harms it: pages are lost or counted wrong, and the one that two have at once is never
/// freed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An exercise forgets a page.
    Leak,
    /// Allocates by flags that may sleep, with a spinlock held.
    Sleep,
    /// Reads a page that has been freed.
    UseAfterFree,
    /// Loses the pages that a cache gives back to the allocator.
    LostInDrain,
    /// Leaves the cache of a CPU that went away as it is.
    KeptWhenDead,
    /// Loses a page of a cache when that goes.
    LostAtUnload,
    /// Loses the pages that find no room in cache and reserve.
    LostOnReturn,
    /// Loses one of the pages that came back where nothing can be freed.
    LostWhileReturning,
    /// The cache hands out the same page over and over.
    HandedOutTwice,
    /// Does not count the cache's hits.
    HitNotCounted,
    /// Counts each of the cache's hits twice.
    HitCountedTwice,
    /// Does not count a request that nobody served.
    FailureNotCounted,
    /// Does not count the pages that a cache is filled with.
    RefillNotCounted,
    /// Fills a cache up where a half is due.
    RefilledTooFar,
    /// Opens the reserve to requests of low priority.
    ReserveForAll,
    /// Allows one page more below the min watermark.
    BudgetOverspent,
}

impl Fault {
    /// All faults with their names in the file.
    const ALL: [(Self, &'static [u8]); 16] = [
        (Self::Leak, b"leak"),
        (Self::Sleep, b"sleep"),
        (Self::UseAfterFree, b"use_after_free"),
        (Self::LostInDrain, b"lost_in_drain"),
        (Self::KeptWhenDead, b"kept_when_dead"),
        (Self::LostAtUnload, b"lost_at_unload"),
        (Self::LostOnReturn, b"lost_on_return"),
        (Self::LostWhileReturning, b"lost_while_returning"),
        (Self::HandedOutTwice, b"handed_out_twice"),
        (Self::HitNotCounted, b"hit_not_counted"),
        (Self::HitCountedTwice, b"hit_counted_twice"),
        (Self::FailureNotCounted, b"failure_not_counted"),
        (Self::RefillNotCounted, b"refill_not_counted"),
        (Self::RefilledTooFar, b"refilled_too_far"),
        (Self::ReserveForAll, b"reserve_for_all"),
        (Self::BudgetOverspent, b"budget_overspent"),
    ];
}

/// The fault that is committed, as its number, and [`NONE`] for none.
static COMMITTED: Atomic<u32> = Atomic::new(NONE);
const NONE: u32 = u32::MAX;

/// Whether a fault is committed. Any context.
#[inline(always)]
pub(crate) fn is(fault: Fault) -> bool {
    COMMITTED.load(Relaxed) == fault as u32
}

/// Whether a fault is committed, and from now on none. Any context.
#[inline(always)]
pub(crate) fn once(fault: Fault) -> bool {
    COMMITTED.cmpxchg(fault as u32, NONE, Relaxed).is_ok()
}

/// Commits the fault of a name from now on. `EINVAL` if there is none. Any context.
pub(crate) fn commit(name: &CStr) -> Result {
    let named = Fault::ALL.iter().find(|(_, of)| *of == name.to_bytes());
    let (fault, _) = named.ok_or(EINVAL)?;
    COMMITTED.store(*fault as u32, Relaxed);
    Ok(())
}
