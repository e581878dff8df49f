// SPDX-License-Identifier: GPL-2.0

//! The kernel's own reserve, `mempool`, with pages as elements, for comparison.
//!
//! A request first asks the allocator and, if that has no page, the reserve. A page that comes back
//! fills up the reserve first, and goes to the allocator if the reserve is full.
//!
//! C header: [`include/linux/mempool.h`](srctree/include/linux/mempool.h)

use super::raw;
use core::ptr::NonNull;
use kernel::{
    alloc::AllocError,
    bindings,
    prelude::*, //
};
use labyrinth::{
    context::Context,
    AllocPages,
    AllowedIn, //
};

/// A mempool of order-0 pages, and those of its pages that are out.
///
/// The pages are not used: this type exists to be measured.
///
/// # Invariants
///
/// - `pool` is a live mempool of order-0 pages that belongs to this value.
/// - `out` has every page of `pool` that was allocated and not freed, and never grows beyond the
///   capacity it was made with.
pub(crate) struct Mempool {
    pool: NonNull<c_void>,
    out: KVVec<NonNull<bindings::page>>,
    reserve: u32,
}

// SAFETY: A mempool and its pages are not tied to a thread or CPU.
unsafe impl Send for Mempool {}

impl Mempool {
    /// Makes a mempool with a full reserve of `reserve` pages. At most `most_out` pages can be out
    /// at a time. Task context only, may sleep.
    pub(crate) fn new(reserve: u32, most_out: usize) -> Result<Self, AllocError> {
        // C counts in `int`, and stops the kernel if it gets a negative number.
        if c_int::try_from(reserve).is_err() {
            return Err(AllocError);
        }
        let out = KVVec::with_capacity(most_out, GFP_KERNEL)?;
        // SAFETY: Task context; the number is not negative in C.
        let pool = unsafe { raw::labyrinth_mempool_create(reserve) };

        // INVARIANT: The mempool is new and ours, and no page is out.
        Ok(Self {
            pool: NonNull::new(pool).ok_or(AllocError)?,
            out,
            reserve,
        })
    }

    /// Takes a page out, and returns whether there was one. The page is out until
    /// [`Self::free_all`].
    ///
    /// Contexts: all that `G` allows, except hard interrupts.
    #[inline]
    pub(crate) fn alloc<C: Context, G: AllowedIn<C, Calls = AllocPages>>(
        &mut self,
        _cx: &C,
        _gfp: G,
    ) -> bool {
        if self.out.len() == self.out.capacity() {
            return false;
        }
        // SAFETY: The mempool is live by the invariant. `AllowedIn` proves that the flags are fit
        // for the context, and `_cx` proves that this is the context.
        let page = unsafe { raw::labyrinth_mempool_alloc(self.pool.as_ptr(), G::RAW) };

        // INVARIANT: The page is out and listed; there is space for it, as just seen.
        NonNull::new(page).is_some_and(|page| self.out.push_within_capacity(page).is_ok())
    }

    /// Takes all pages back. Task and softirq context.
    pub(crate) fn free_all(&mut self) {
        // INVARIANT: What leaves the list is freed.
        while let Some(page) = self.out.pop() {
            // SAFETY: By the invariant the page is out, and the mempool is the one it came from.
            unsafe { raw::labyrinth_mempool_free(self.pool.as_ptr(), page.as_ptr()) };
        }
    }

    /// Returns how many pages are in the reserve now. Any context.
    pub(crate) fn filled(&self) -> u32 {
        // SAFETY: The mempool is live by the invariant.
        unsafe { raw::labyrinth_mempool_filled(self.pool.as_ptr()) }
    }

    /// Returns how many pages the reserve holds when it is full.
    pub(crate) fn reserve(&self) -> u32 {
        self.reserve
    }
}

impl Drop for Mempool {
    /// Task context only, may sleep.
    fn drop(&mut self) {
        self.free_all();
        // SAFETY: By the invariant the mempool is ours, and all its pages are back.
        unsafe { raw::labyrinth_mempool_destroy(self.pool.as_ptr()) };
    }
}
