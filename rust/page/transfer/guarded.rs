// SPDX-License-Identifier: GPL-2.0

//! Pages between canaries: [`Guarded`].

use super::canary::{
    Canary,
    GUARD, //
};
use crate::{
    ffi::{
        context::{
            Context,
            Kind, //
        },
        time::clock::Moment, //
    },
    page::transfer::Transfer,
    page::{
        sentinel::{
            self,
            Corruption,
            Occasion, //
        },
        Bytes,
        ExclusivePages, //
    }, //
};
use core::{
    hint::black_box,
    mem::ManuallyDrop,
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// Pages with guards around their contents, which detect writes beyond the contents.
///
/// It dereferences to the bytes between the guards, the *payload*. Safe code cannot access the
/// guards. They are at both ends of the block, whatever its order:
///
/// ```text
///   0        64                                        2^order pages - 64
///   ┌────────┬─────────────────────────────────────────┬────────┐
///   │ canary │ payload                                 │ canary │
///   └────────┴─────────────────────────────────────────┴────────┘
/// ```
///
/// The guards are checked when the pages are freed ([`Drop`]), when they are transferred
/// ([`Self::transfer`], [`Self::open`]), and on demand ([`Self::check`]). A damaged guard is
/// reported once ([`sentinel`]) and repaired, so that the next damage counts again.
///
/// Two kinds of writes go unnoticed: a write that jumps over the guard, and a write of the bytes
/// that are already there.
///
/// Contexts: all but NMI. Dropping it requires the contexts of [`ExclusivePages`].
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::{context::Softirq, GfpAtomic, ExclusivePage, Guarded};
/// # fn example(cx: &Softirq) -> Result {
/// let page = ExclusivePage::alloc(cx, GfpAtomic)?.zeroed();
/// let mut page = Guarded::new(cx, page.into());
/// page.fill(0x42);
/// let pages = page.open().unwrap_or_else(|damaged| damaged.pages);
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// `pages` is valid. It is taken out only when the value is not used any more.
pub struct Guarded {
    pages: ManuallyDrop<ExclusivePages<Bytes>>,
    canary: Canary,
    holder: Kind,
    since: Moment,
    times: u32,
}

/// Pages whose guards were damaged when they were removed.
pub struct Damaged {
    /// The pages.
    pub pages: ExclusivePages<Bytes>,
    /// The damage. If both guards were damaged, this is the damage of the first.
    #[cfg_attr(
        not(CONFIG_KUNIT = "y"),
        allow(dead_code, reason = "the exercises go on all the same")
    )]
    pub corruption: Corruption,
}

/// The number of the next guarding.
static NUMBER: Atomic<i64> = Atomic::new(0);

impl Guarded {
    /// Puts guards around the contents of pages. They overwrite the first and the last bytes.
    /// Reports show the context of `cx` as that of the holder.
    pub fn new<C: Context>(_cx: &C, pages: ExclusivePages<Bytes>) -> Self {
        let begun = Transfer::Guard.begin();
        // INVARIANT: `pages` is valid.
        let mut guarded = Self {
            canary: Canary::new(pages.pfn(), NUMBER.fetch_add(1, Relaxed) as u64),
            pages: ManuallyDrop::new(pages),
            holder: C::KIND,
            since: Moment::now(),
            times: 0,
        };
        let canary = guarded.canary;
        for (begin, guard) in guarded.guards() {
            canary.plant(begin, guard);
        }
        begun.done(true);
        guarded
    }

    /// Checks the guards. The error is the damage. If both guards are damaged, it is that of the
    /// first.
    #[cfg_attr(
        not(CONFIG_KUNIT = "y"),
        allow(dead_code, reason = "the exercises free what they were handed")
    )]
    pub fn check(&mut self) -> Result<(), Corruption> {
        self.look(Occasion::Demand)
    }

    /// Transfers the pages to code in the context of `cx`, even with damaged guards. Damage that is
    /// found here is reported for the former holder.
    #[cfg_attr(
        not(CONFIG_KUNIT = "y"),
        allow(dead_code, reason = "the exercises free what they were handed")
    )]
    #[must_use]
    pub fn transfer<C: Context>(mut self, _cx: &C) -> Self {
        let begun = Transfer::PassGuarded.begin();
        // This reports damage, so the new holder does not need the result.
        let outcome = self.look(Occasion::Transfer);
        self.holder = C::KIND;
        self.since = Moment::now();
        self.times = 0;
        begun.done(outcome.is_ok());
        self
    }

    /// Removes the guards. Their bytes are part of the contents afterwards. Fails if the guards are
    /// damaged; the error has the pages.
    pub fn open(mut self) -> Result<ExclusivePages<Bytes>, Damaged> {
        let begun = Transfer::Unguard.begin();
        let outcome = self.look(Occasion::Transfer);
        begun.done(outcome.is_ok());
        let mut this = ManuallyDrop::new(self);
        // SAFETY: By the invariant `pages` is valid. `this` is not used any more, and not dropped.
        let pages = unsafe { ManuallyDrop::take(&mut this.pages) };
        match outcome {
            Ok(()) => Ok(pages),
            Err(corruption) => Err(Damaged { pages, corruption }),
        }
    }

    /// Returns the page frame number of the first page, for reports. Any context.
    pub fn pfn(&self) -> usize {
        self.pages.pfn()
    }

    /// Returns the guards, with the offsets in the block at which they begin.
    fn guards(&mut self) -> impl Iterator<Item = (usize, &mut [u8])> {
        let block = self.pages.as_flattened_mut();
        let last = block.len().saturating_sub(GUARD);
        let (front, back) = block.split_at_mut(last);
        // A block is much longer than two guards.
        let front = front.get_mut(..GUARD).unwrap_or_default();
        [(0, front), (last, back)].into_iter()
    }

    /// Checks the guards, except those of pages that have gone bad: memory that the hardware has
    /// given up must not be read.
    fn look(&mut self, occasion: Occasion) -> Result<(), Corruption> {
        if self.pages.is_known_bad() {
            return Ok(());
        }
        let Self {
            canary,
            holder,
            since,
            mut times,
            ..
        } = *self;
        let (pfn, order) = (self.pages.pfn(), self.pages.order());
        let begun = Transfer::SentinelCheck.begin();
        let mut outcome = Ok(());

        for (begin, guard) in self.guards() {
            // The black box keeps the compiler from removing the check, as safe code cannot change
            // the guards.
            let Some(damage) = canary.damage(begin, black_box(&*guard)) else {
                continue;
            };
            canary.plant(begin, guard);
            times = times.saturating_add(1);
            let mut corruption = Corruption {
                number: 0,
                pfn,
                order,
                damage,
                holder,
                age: Moment::now().nanos_since(since),
                times,
                noticed: occasion,
            };
            sentinel::report(&mut corruption);
            outcome = outcome.and(Err(corruption));
        }
        self.times = times;
        begun.done(outcome.is_ok());
        outcome
    }
}

impl Deref for Guarded {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        let block = self.pages.as_flattened();
        // A block is much longer than two guards.
        block
            .get(GUARD..block.len().saturating_sub(GUARD))
            .unwrap_or_default()
    }
}

impl DerefMut for Guarded {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        let block = self.pages.as_flattened_mut();
        let end = block.len().saturating_sub(GUARD);
        block.get_mut(GUARD..end).unwrap_or_default()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.look(Occasion::Drop);
        // SAFETY: By the invariant `pages` is valid, and it is not used any more.
        unsafe { ManuallyDrop::drop(&mut self.pages) };
    }
}
