// SPDX-License-Identifier: GPL-2.0

//! The tiers of a pool, each in a file of its own.
//!
//! The table in [`logic::tier`](crate::pool::logic::tier) lists them. From this table, the macros
//! below make the module of each tier, the [`Tiers`] of a pool, and the chain that requests pass
//! through. So a new tier is a new file and a new row.

use super::{
    call::Call,
    logic::{
        fallback::{
            AsTier,
            Fallback, //
        },
        page_source::PageSource,
        request::Request,
        schedule::Refilled,
        tier::{
            tiers,
            Tier, //
        }, //
    },
    Pool,
    PoolConfig, //
};
use crate::{
    ffi::context::{
        Context,
        Kind,
        Task, //
    },
    page::{
        CalledIn,
        ExclusivePages,
        Uninit, //
    },
    stats::Row, //
};
use kernel::prelude::*;

type Pages = ExclusivePages<Uninit>;

/// The operations of a tier that are not on the path of a request.
///
/// A tier also implements [`PageSource`] for each [`Call`]. It has a function `new`, which makes it
/// without pages for the configuration of a pool. Its file has a table `ROWS` of the numbers that
/// reports show of it.
pub(super) trait TierOps {
    /// Returns how many requests in a context the tier served that the pool does not count. Any
    /// context.
    fn served(&self, _context: Kind) -> u64 {
        0
    }

    /// Returns how many pages the tier took back in a context that the pool does not count. Any
    /// context.
    fn kept(&self, _context: Kind) -> u64 {
        0
    }

    /// Returns how many excluded blocks the allocator offered to the tier. Any context.
    fn excluded_met(&self) -> u64 {
        0
    }

    /// Adds a bounded number of the missing pages. Returns the worse of two results: of this
    /// refill, and of the tiers `before` this one. Task context only, may sleep and reclaim.
    fn refill(&self, _pool: &Pool, _cx: &Task, before: Refilled) -> Refilled {
        before
    }

    /// Fills the tier: a cache with up to `per_cpu` pages for each CPU, other tiers up to their
    /// size. Task context only, may sleep and reclaim.
    fn prime(&self, _pool: &Pool, _cx: &Task, _per_cpu: usize) {}

    /// Frees the pages that are known to be bad, and returns their number. The error has the number
    /// so far, if others used the tier, so that the search has to be repeated. A search keeps
    /// others from the tier for at most `at_once` pages. Contexts: those in which pages may be
    /// freed.
    fn drain_bad(&self, _at_once: usize) -> Result<usize, usize> {
        Ok(0)
    }
}

/// Nests the tiers of a list into a chain.
macro_rules! chain {
    ($tiers:ident, $tier:ident $field:ident) => {
        AsTier(Tier::$tier, $tiers.$field())
    };
    ($tiers:ident, $tier:ident $field:ident, $($rest:tt)+) => {
        Fallback(chain!($tiers, $tier $field), chain!($tiers, $($rest)+))
    };
}

/// Like `chain!`, without the first tier of the list.
macro_rules! chain_beyond_first {
    ($tiers:ident, $tier:ident $field:ident, $($rest:tt)+) => {
        chain!($tiers, $($rest)+)
    };
}

/// Only the second tier of the list.
macro_rules! second {
    ($tiers:ident, $first:ident $of_first:ident, $tier:ident $field:ident, $($rest:tt)+) => {
        chain!($tiers, $tier $field)
    };
}

/// Like `chain!`, without the first two tiers of the list.
macro_rules! chain_beyond_second {
    ($tiers:ident, $tier:ident $field:ident, $($rest:tt)+) => {
        chain_beyond_first!($tiers, $($rest)+)
    };
}

macro_rules! define {
    ($($(#[$doc:meta])* $tier:ident: $name:literal, $least:ident, $file:ident::$type:ident;)*) => {
        $(pub(crate) mod $file;)*

        /// The numbers that reports show of each tier.
        pub(super) static TABLES: [&[Row<Pool>]; Tier::COUNT] = [$(&$file::ROWS),*];

        /// The struct is in a module of its own because of the code that `pin_data` generates.
        #[allow(dead_code, reason = "no code needs its projection")]
        mod list {
            use super::*;

            /// The tiers of one pool.
            #[pin_data]
            pub(in crate::pool) struct Tiers {
                $($(#[$doc])* #[pin] $file: $file::$type,)*
            }

            impl Tiers {
                /// Makes the tiers, without pages. Task context only, may sleep.
                pub(in crate::pool) fn new(
                    config: &PoolConfig,
                ) -> impl PinInit<Self, Error> + '_ {
                    try_pin_init!(Self {
                        $($file <- $file::$type::new(config),)*
                    }? Error)
                }

                $(
                    $(#[$doc])*
                    #[inline(always)]
                    pub(in crate::pool) fn $file(&self) -> &$file::$type {
                        &self.$file
                    }
                )*
            }
        }
        pub(super) use list::Tiers;

        impl Tiers {
            /// Returns a tier, for everything but requests. Any context.
            pub(super) fn of(&self, tier: Tier) -> &dyn TierOps {
                match tier {
                    $(Tier::$tier => self.$file(),)*
                }
            }

            /// Returns the flags with which a tier asks the allocator, 0 if it does not.
            pub(super) fn gfp<C: Context, M: CalledIn<C>>(tier: Tier) -> u32 {
                match tier {
                    $(Tier::$tier => <$file::$type as PageSource<Call<'_, C, M>>>::gfp(),)*
                }
            }

            /// Asks the second tier.
            #[inline(always)]
            pub(super) fn get_second<C: Context, M: CalledIn<C>>(
                &self,
                call: &Call<'_, C, M>,
                request: &mut Request,
            ) -> Option<Pages> {
                second!(self, $($tier $file),*).get(call, request)
            }

            /// Asks the tiers after the second one, in order.
            #[inline(always)]
            pub(super) fn get_beyond_second<C: Context, M: CalledIn<C>>(
                &self,
                call: &Call<'_, C, M>,
                request: &mut Request,
            ) -> Option<Pages> {
                chain_beyond_second!(self, $($tier $file),*).get(call, request)
            }

            /// Offers pages to the tiers after the first one, in order, and returns the tier that
            /// keeps them. The error has the pages if none does.
            #[inline(always)]
            pub(super) fn put_beyond<C: Context, M: CalledIn<C>>(
                &self,
                call: &Call<'_, C, M>,
                pages: Pages,
            ) -> Result<Tier, Pages> {
                chain_beyond_first!(self, $($tier $file),*).put(call, pages)
            }
        }
    };
}
tiers!(define);

impl Tiers {
    /// Asks the tiers after the first one that have pages of their own, so not the allocator.
    #[inline(always)]
    pub(super) fn get_kept<C: Context, M: CalledIn<C>>(
        &self,
        call: &Call<'_, C, M>,
        request: &mut Request,
    ) -> Option<Pages> {
        AsTier(Tier::Reserve, self.reserve()).get(call, request)
    }
}
