// SPDX-License-Identifier: GPL-2.0

//! Pools in contexts that may not enter the page allocator: hard interrupts and interrupts
//! disabled, including PREEMPT_RT.
//!
//! ```text
//!   get:  per-CPU cache ──► buddy without a lock ──► reserve
//!   put:  per-CPU cache ──► reserve ──► returning ──► the pool manager frees them
//! ```
//!
//! The kernel's emergency reserve cannot be used there. On PREEMPT_RT the lockless allocator gives
//! nothing to a hard interrupt either, which then has only cache and reserve.

use super::{
    Pages,
    Pool, //
};
use crate::{
    ffi::{
        context::Context,
        mm::bad_memory, //
    },
    pool::{
        events,
        logic::{
            fallback::Fallback,
            page_source::PageSource,
            request::{
                Request,
                Tier, //
            }, //
        },
        tier::buddy::BuddyNoLock, //
    }, //
};

impl Pool {
    /// Hands out pages as [`Self::get`] does, in any context but NMI.
    #[inline]
    pub fn get_nolock<C: Context>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        let cached = if bad_memory::known() {
            self.cache.get_good(cx, request)
        } else {
            self.cache.get(cx, request)
        };
        let pages = cached.or_else(|| self.get_beyond_nolock(cx, request));
        events::answered_nolock::<C>(&self.name, self.config.order, request, pages.as_ref());
        pages
    }

    /// Takes pages back as [`Self::put`] does, in any context but NMI. Pages that neither cache nor
    /// reserve can keep stay allocated until the refill thread frees them, a moment later.
    #[inline]
    pub fn put_nolock<C: Context>(&self, cx: &C, mut pages: Pages) {
        let pfn = events::given_back_listened_to().then(|| pages.pfn());
        let unlooked = u64::from(pages.form().raw()) == self.unlooked_form.read();
        if !unlooked && !self.is_at_home(&pages, C::KIND) {
            if let Some(pfn) = pfn {
                events::given_back(&self.name, Tier::Buddy, pages.order(), pfn);
            }
            return self.free_later(pages);
        }
        pages.uncharge();
        match self.cache.put(cx, pages) {
            Ok(()) => self.given_back(Tier::Cache, pfn),
            Err(pages) => self.put_beyond_nolock(cx, pages, pfn),
        }
    }

    /// Makes the refill thread free pages, which need not come from this pool. Any context but NMI.
    pub(crate) fn free_later(&self, mut pages: Pages) {
        pages.uncharge();
        self.returning.with(|chain| chain.push(pages));
        // A round of the pool manager that begins after this finds the pages.
        self.call_manager();
    }

    /// Returns how many pages wait to be freed by the refill thread. Any context but NMI.
    pub fn returning(&self) -> usize {
        self.returning.with(|chain| chain.len())
    }

    /// Frees the pages that were given back where nothing can be freed. Contexts: those in which
    /// pages may be freed.
    pub(in crate::pool) fn free_returned(&self) {
        let mut returned = self.returning.with(core::mem::take);
        while let Some(pages) = returned.pop() {
            self.release(pages);
        }
    }
}

/// The tiers beyond the per-CPU cache. They take no lock except the reserve's raw spinlock.
impl Pool {
    #[cold]
    #[inline(never)]
    fn get_beyond_nolock<C: Context>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        let Self {
            reserve,
            counts,
            config,
            ..
        } = self;

        // Excluded pages that the allocator without a lock offers could not be given back here.
        let buddy = BuddyNoLock::new(config.shape(), config.place, Tier::Buddy)
            .filter(|_| self.exclusion.is_open());
        let pages = match buddy {
            Some(buddy) => Fallback(buddy, reserve).get(cx, request),
            None => reserve.get(cx, request),
        };
        // As `good` does, but bad pages of the allocator cannot be given back here. The reserve has
        // none that are known.
        let pages = match pages {
            Some(bad) if bad.is_known_bad() => {
                self.free_later(bad);
                reserve.get(cx, request)
            }
            other => other,
        };
        counts.path(C::KIND, request, pages.is_some(), 1);
        events::steps(&self.name, request);
        self.call_manager();
        pages
    }

    #[cold]
    #[inline(never)]
    fn put_beyond_nolock<C: Context>(&self, cx: &C, pages: Pages, pfn: Option<usize>) {
        match self.reserve.put(cx, pages) {
            Ok(()) => {
                self.given_back(Tier::Reserve, pfn);
                self.counts.to_reserve(C::KIND, 1);
            }
            Err(pages) => {
                // Before it can be anybody else's.
                self.given_back(Tier::Buddy, pfn);
                self.counts.to_buddy(C::KIND, 1);
                self.free_later(pages);
            }
        }
    }
}
