// SPDX-License-Identifier: GPL-2.0

//! The number of pages that processes have mapped, and its limit.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// The highest limit, in pages: 16 MiB.
pub(crate) const MAX_USER_PAGES: usize = 4096;

static LIMIT: Atomic<u32> = Atomic::new(0);
static TAKEN: Atomic<u32> = Atomic::new(0);

/// Returns how many pages may be mapped at a time. Any context.
pub(crate) fn limit() -> u32 {
    LIMIT.load(Relaxed)
}

/// Returns how many pages are mapped or are about to be. Any context.
pub(crate) fn mapped() -> u32 {
    TAKEN.load(Relaxed)
}

/// Sets the limit. Must be called before anything is mapped.
pub(super) fn set_limit(most: u32) {
    LIMIT.store(most, Relaxed);
}

/// The right to have one page mapped. Dropping it gives the right back.
pub(super) struct Quota(());

impl Quota {
    /// Takes the right to one page, unless all are taken. Any context.
    pub(super) fn take() -> Option<Self> {
        let mut taken = mapped();
        while taken < limit() {
            match TAKEN.cmpxchg(taken, taken + 1, Relaxed) {
                Ok(_) => return Some(Self(())),
                Err(now) => taken = now,
            }
        }
        None
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Relaxed);
    }
}
