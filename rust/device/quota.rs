// SPDX-License-Identifier: GPL-2.0

//! The number of pages that processes have mapped, and its limit.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use labyrinth::stats::Row;

/// The highest limit, in pages: 16 MiB.
pub(crate) const MAX_USER_PAGES: usize = 4096;

static LIMIT: Atomic<u32> = Atomic::new(0);
static TAKEN: Atomic<u32> = Atomic::new(0);

pub(super) static ROWS: [Row<()>; 2] = [
    Row::gauge(
        "user_pages",
        "Pages that processes have mapped by /dev/labyrinth.",
        &[],
        |(), _| TAKEN.load(Relaxed).into(),
    ),
    Row::gauge(
        "user_pages_limit",
        "Pages that they may have mapped at a time.",
        &[],
        |(), _| LIMIT.load(Relaxed).into(),
    ),
];

/// Sets the limit. Must be called before anything is mapped.
pub(super) fn set_limit(most: u32) {
    LIMIT.store(most, Relaxed);
}

/// The right to have one page mapped. Dropping it gives the right back.
pub(super) struct Quota(());

impl Quota {
    /// Takes the right to one page, unless all are taken. Any context.
    pub(super) fn take() -> Option<Self> {
        let mut taken = TAKEN.load(Relaxed);
        while taken < LIMIT.load(Relaxed) {
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
