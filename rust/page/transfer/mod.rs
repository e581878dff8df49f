// SPDX-License-Identifier: GPL-2.0

//! Transfers of ownership: the types that a page can be transferred to, and the ways back.
//!
//! The state diagram in [`crate::page`] shows all of them. Drivers can use all types that this file
//! exports.
//!
//! # How they are counted
//!
//! Each transfer is counted by its kind ([`Transfer`]), and its latency is recorded. A page is only
//! as large as a pointer, and has no reference to statistics. So all transfers find the statistics
//! in one place, in any context ([`Transfer::record_in`]):
//!
//! ```text
//! let begun = Transfer::Share.begin();
//! let result = share(page);
//! begun.done(result.is_ok());
//! ```
//!
//! Transfers to C and back are an exception. They are part of the fast path of the C interface,
//! where finding the statistics and reading the clock would cost more than all the rest. Each of
//! them is counted by one instruction, whatever `recording` says, and has no latency. The same is
//! true of what the kernel does with dropped [`AttributedPages`] and [`HostPages`] in a thread of its
//! own.

pub(crate) mod attributed;
pub(crate) mod canary;
pub(crate) mod dma;
mod flush;
pub(crate) mod foreign;
pub(crate) mod guarded;
pub(crate) mod host;
mod kernel_page;
pub(crate) mod secret;
pub(crate) mod shared;
pub(crate) mod user;
pub(crate) mod vmap;

pub use attributed::{
    AttributedPages,
    CacheAttribute,
    Uncached,
    WriteCombined, //
};
pub use guarded::{
    Damaged,
    Guarded, //
};
pub use host::HostPages;
pub use secret::{
    Scrub,
    Secret, //
};
pub use shared::{
    Shareable,
    Shared, //
};
pub use user::{
    Home,
    UserPage, //
};
pub use vmap::VmappedPages;

use crate::{
    ffi::{
        mm::{
            attribute::{
                self,
                AttributeEvent, //
            },
            foreign_pages::{
                self,
                ForeignEvent, //
            }, //
        },
        sync::rcu_slot::{
            Publication,
            RcuSlot, //
        }, //
    },
    stats::{
        label,
        names,
        Label,
        Row,
        Snapshot,
        Stats,
        TransferKinds,
        TransferNoted,
        OUTCOME,
        QUANTILE, //
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Makes [`Transfer`] from a row for each kind: its variant, and its name in reports.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $name:literal,)*) => {
        /// The kinds of transfers.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub enum Transfer {
            $($(#[$doc])* $kind,)*
        }

        impl Transfer {
            /// All kinds, in the order of reports; `kind as usize` is the index.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$kind,)*];

            /// How many there are.
            pub const COUNT: usize = [$($name,)*].len();

            /// The name in reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// Exclusive pages become shared.
    Share: "share",
    /// Shared pages become exclusive. This fails while there are other readers.
    TakeBack: "take_back",
    /// The contents are overwritten before the next holder gets the page.
    Scrub: "scrub",
    /// Pages go from the CPU to a device.
    MapDevice: "map_device",
    /// The CPU may access pages of a device for a while.
    SyncCpu: "sync_cpu",
    /// Pages go from a device back to the CPU.
    UnmapDevice: "unmap_device",
    /// A page goes from the kernel to a process.
    MapUser: "map_user",
    /// A page goes from a process back to the kernel.
    ReturnUser: "return_user",
    /// Single pages become one mapping, side by side.
    Vmap: "vmap",
    /// Such a mapping becomes single pages.
    Vunmap: "vunmap",
    /// Pages become a secret, with the contents that they have.
    Conceal: "conceal",
    /// The access of the CPU after [`Self::SyncCpu`] ends.
    SyncDevice: "sync_device",
    /// Exclusive pages become guarded.
    Guard: "guard",
    /// Guarded pages go from one holder to the next. This counts as a failure if the guards were
    /// damaged, but the next holder gets the pages all the same.
    PassGuarded: "pass_guarded",
    /// Guarded pages become exclusive. It fails if the guards were damaged.
    Unguard: "unguard",
    /// Guards are checked: when their pages are transferred, unguarded or freed, and on demand. It
    /// fails if they were damaged.
    SentinelCheck: "sentinel_check",
    /// Blocks become uncached, all those of one call at once.
    SetUncached: "set_uncached",
    /// Blocks become write-combined, all those of one call at once.
    SetWriteCombined: "set_write_combined",
    /// Blocks with another cache attribute become write-back, all those of one call at once.
    SetWriteBack: "set_write_back",
    /// Pages become shared with the host of a confidential guest.
    ShareHost: "share_host",
    /// Pages that were shared with the host become exclusive.
    TakeBackHost: "take_back_host",
    /// Blocks with another cache attribute, or shared with the host, that were dropped become
    /// ordinary ones, and are freed. The kernel changes many cache attributes at once. If it fails,
    /// the pages are lost.
    ResetDropped: "reset_dropped",
    /// A page whose cache attribute could not be changed back, or that could not be taken back from
    /// the host, is lost.
    Lose: "lose",
    /// A part of pages is flushed from the caches.
    Flush: "flush",
    /// Contiguous pages go from the allocator to their first holder.
    AllocContiguous: "alloc_contiguous",
    /// Contiguous pages go back to the allocator.
    FreeContiguous: "free_contiguous",
    /// Exclusive pages go to C.
    IntoForeign: "into_foreign",
    /// C gives pages back. It fails if they were not lent by the pool that C names.
    FromForeign: "from_foreign",
}

/// The statistics that transfers are recorded in.
static RECORDED_IN: RcuSlot<Arc<Stats>> = RcuSlot::new();

impl Transfer {
    /// The kinds, for [`Stats::new`].
    pub const KINDS: &'static TransferKinds = &TransferKinds {
        names: &const { names!(Transfer) },
        counted_elsewhere: |add| {
            // Returned pages are read first, so that they are never more than those given away.
            let returned = foreign_pages::count(ForeignEvent::Returned);
            add(Self::FromForeign as usize, true, returned);
            let refused = foreign_pages::count(ForeignEvent::Refused);
            add(Self::FromForeign as usize, false, refused);
            let given = foreign_pages::count(ForeignEvent::Given);
            add(Self::IntoForeign as usize, true, given);

            let late = attribute::count(AttributeEvent::LateReset);
            add(Self::ResetDropped as usize, true, late);
            let failed = attribute::count(AttributeEvent::LateResetFailed);
            add(Self::ResetDropped as usize, false, failed);
            let lost = attribute::count(AttributeEvent::PageLost);
            add(Self::Lose as usize, true, lost);
        },
    };

    /// Records all transfers in `stats` until the result is dropped, which needs task context and
    /// sleeps. Task context only, may sleep. Fails with `EBUSY` if transfers are already recorded,
    /// and with `ENOMEM` if there is no memory.
    pub fn record_in(stats: Arc<Stats>) -> Result<Publication<Arc<Stats>>> {
        RECORDED_IN.publish(stats)
    }

    /// Notes that a transfer begins. Any context, NMI included.
    ///
    /// A transfer that is never done is not counted.
    #[inline]
    pub(crate) fn begin(self) -> Begun {
        let noted = RECORDED_IN.with(|stats| stats.transfer_begins());
        Begun {
            kind: self,
            noted: noted.unwrap_or(TransferNoted::Nothing),
        }
    }
}

/// A transfer that has begun.
#[must_use = "a transfer that is never done is not recorded"]
pub(crate) struct Begun {
    kind: Transfer,
    noted: TransferNoted,
}

impl Begun {
    /// Records the outcome and the latency. Any context, NMI included.
    #[inline]
    pub(crate) fn done(self, success: bool) {
        let Self { kind, noted } = self;
        if !matches!(noted, TransferNoted::Nothing) {
            RECORDED_IN.with(|stats| stats.transfer_done(kind as usize, noted, success));
        }
    }
}

const KIND: Label = label!("transfer", Transfer);

/// The histograms of transfers have every other edge of the histograms of allocations, because
/// there are more of them, and their latencies differ by more.
pub(crate) static ROWS: [Row<Snapshot>; 3] = [
    Row::counter(
        "transfer",
        "Transfers of pages from one holder to another.",
        &[KIND, OUTCOME],
        |snapshot, [kind, outcome, _]| snapshot.transfers()[kind].outcomes(outcome),
    ),
    Row::latencies(
        "transfer_latency_seconds",
        "Latency of transfers, failed ones included.",
        &[KIND],
        2,
        |snapshot, [kind, ..]| Some(&snapshot.transfers()[kind]),
    ),
    Row::optional(
        "transfer_latency_quantile_seconds",
        "Quantiles of the latency, at most 1/16 too large; 0 and 1 are exact.",
        &[KIND, QUANTILE],
        |snapshot: &Snapshot, [kind, quantile, _]| snapshot.transfers()[kind].quantile(quantile),
    )
    .nanos(),
];
