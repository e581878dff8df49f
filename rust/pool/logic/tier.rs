// SPDX-License-Identifier: GPL-2.0

//! The table of the tiers of a pool.

use super::request::Priority;
use core::ffi::CStr;

/// The table of tiers. Calls the macro `$then` with a row for each tier, in the order in which a
/// pool asks them.
///
/// A row has the variant of [`Tier`], the name in reports, the least [`Priority`] of a request that
/// may use the tier, and the path of its type below `rust/pool/tier`. The first tier serves hits
/// inline. The others are asked out of line.
macro_rules! tiers {
    ($then:ident) => {
        $then! {
            /// The per-CPU cache.
            Cache: c"cache", Low, cache::CpuCache;
            /// The buddy allocator, above the min watermark.
            Buddy: c"buddy", Low, buddy::Buddy;
            /// The pool's own reserve.
            Reserve: c"reserve", Normal, reserve::Reserve;
            /// The buddy allocator, with access to the kernel's emergency reserve.
            Emergency: c"emergency", High, emergency::Emergency;
        }
    };
}
pub(crate) use tiers;

macro_rules! define {
    ($($(#[$doc:meta])* $tier:ident: $name:literal, $least:ident, $file:ident::$type:ident;)*) => {
        /// The tiers of a [`Pool`](crate::pool::Pool), in the order in which it asks them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Tier {
            $($(#[$doc])* $tier,)*
        }

        impl Tier {
            /// All tiers, in the order in which a pool asks them; `tier as usize` is the index.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$tier),*];

            /// How many there are.
            pub const COUNT: usize = [$(Self::$tier),*].len();

            /// Returns the name in reports as a C string.
            pub(crate) const fn c_name(self) -> &'static CStr {
                match self {
                    $(Self::$tier => $name,)*
                }
            }

            /// Returns the least priority of the requests that may use the tier.
            #[inline(always)]
            pub(crate) const fn least_priority(self) -> Priority {
                match self {
                    $(Self::$tier => Priority::$least,)*
                }
            }
        }
    };
}
tiers!(define);

impl Tier {
    /// The tier that a pool asks after the per-CPU cache.
    pub(crate) const SECOND: Self = Self::ALL[1];

    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self.c_name().to_str() {
            Ok(name) => name,
            Err(_) => panic!("a tier has a name that is no UTF-8"),
        }
    }
}
