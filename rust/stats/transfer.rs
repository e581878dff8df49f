// SPDX-License-Identifier: GPL-2.0

//! Transfers of pages from one holder to another: how many, how fast.
//!
//! A page is as large as a pointer and knows nothing of statistics. So those to record in are
//! published: `Transfer::begin` finds them, in any context.
//!
//! Transfers to C and back are an exception: they are part of the fast path of the C interface.
//! Finding the statistics and reading the clock would cost more there than all the rest. Each is
//! counted by one instruction, whatever `recording` says, and has no latency.
//!
//! ```text
//! let begun = Transfer::Share.begin();
//! let result = share(page);
//! begun.done(result.is_ok());
//! ```

use super::{
    label,
    row::{
        Label,
        Row, //
    },
    samples::{
        counters,
        Samples, //
    },
    snapshot::{
        OUTCOME,
        QUANTILE, //
    },
    totals::Totals,
    Latencies,
    Recording,
    Snapshot,
    Stats, //
};
use crate::ffi::{
    mm::foreign_pages::{
        self,
        ForeignEvent, //
    },
    sync::rcu_slot::{
        Publication,
        RcuSlot, //
    },
    time::clock, //
};
use core::ops::Deref;
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::Arc, //
};

/// The kinds of transfers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// Exclusive to shared by readers.
    Share,
    /// Shared to exclusive. It fails while there are other readers.
    TakeBack,
    /// Contents overwritten before the next holder gets the page.
    Scrub,
    /// The CPU to a device.
    MapDevice,
    /// A device to the CPU, for a while.
    SyncCpu,
    /// A device to the CPU, for good.
    UnmapDevice,
    /// The kernel to a process.
    MapUser,
    /// A process to the kernel.
    ReturnUser,
    /// Single pages to one mapping of all of them, side by side.
    Vmap,
    /// Such a mapping to single pages.
    Vunmap,
    /// Pages to a secret, with the contents that they have.
    Conceal,
    /// The CPU back to a device, after [`Self::SyncCpu`].
    SyncDevice,
    /// Exclusive to guarded.
    Guard,
    /// One holder of guarded pages to the next. It fails if the guards were overwritten; the next
    /// holder has the pages all the same.
    PassGuarded,
    /// Guarded to exclusive. It fails as above.
    Unguard,
    /// A page's guards were looked at: when it was passed on, unguarded or freed, and on demand. It
    /// fails if they were overwritten.
    SentinelCheck,
    /// Exclusive to C.
    IntoForeign,
    /// C to exclusive. It fails if the pool that C names has not lent what C gives back.
    FromForeign,
}

impl Transfer {
    /// All kinds, in the order of reports; `kind as usize` is the index.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Share,
        Self::TakeBack,
        Self::Scrub,
        Self::MapDevice,
        Self::SyncCpu,
        Self::UnmapDevice,
        Self::MapUser,
        Self::ReturnUser,
        Self::Vmap,
        Self::Vunmap,
        Self::Conceal,
        Self::SyncDevice,
        Self::Guard,
        Self::PassGuarded,
        Self::Unguard,
        Self::SentinelCheck,
        Self::IntoForeign,
        Self::FromForeign,
    ];

    /// How many there are.
    pub const COUNT: usize = 18;

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::TakeBack => "take_back",
            Self::Scrub => "scrub",
            Self::MapDevice => "map_device",
            Self::SyncCpu => "sync_cpu",
            Self::UnmapDevice => "unmap_device",
            Self::MapUser => "map_user",
            Self::ReturnUser => "return_user",
            Self::Vmap => "vmap",
            Self::Vunmap => "vunmap",
            Self::Conceal => "conceal",
            Self::SyncDevice => "sync_device",
            Self::Guard => "guard",
            Self::PassGuarded => "pass_guarded",
            Self::Unguard => "unguard",
            Self::SentinelCheck => "sentinel_check",
            Self::IntoForeign => "into_foreign",
            Self::FromForeign => "from_foreign",
        }
    }

    /// Notes that a transfer begins. Any context, NMI included.
    ///
    /// What is never done is not counted.
    #[inline]
    pub(crate) fn begin(self) -> Begun {
        PUBLISHED
            .with(|stats| stats.transfer(self))
            .unwrap_or(Begun {
                kind: self,
                noted: Noted::Nothing,
            })
    }
}

const KIND: Label = label!("transfer", Transfer);

/// Their histograms have every other edge of those of allocations: there are more of them, and they
/// differ by more.
pub(super) static ROWS: [Row<Snapshot>; 3] = [
    Row::counter(
        "transfer",
        "Transfers of pages from one holder to another.",
        &[KIND, OUTCOME],
        |snapshot, [kind, outcome, _]| snapshot.transfers()[kind].outcomes(outcome),
    ),
    Row::histogram(
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

/// The statistics that transfers are recorded in.
static PUBLISHED: RcuSlot<Arc<Stats>> = RcuSlot::new();

/// That transfers are being recorded. Dropping it ends that: task context only, sleeps.
pub type Recorded = Publication<Arc<Stats>>;

/// Has all transfers recorded in `stats`. Task context only, may sleep. `EBUSY` if they are
/// recorded elsewhere, `ENOMEM` if there is no memory.
pub fn record_in(stats: Arc<Stats>) -> Result<Recorded> {
    PUBLISHED.publish(stats)
}

/// A transfer that has begun.
#[must_use = "a transfer that is never done is not recorded"]
pub(crate) struct Begun {
    kind: Transfer,
    noted: Noted,
}

/// What is known of a transfer.
enum Noted {
    /// Recording is off.
    Nothing,
    /// That it is to be counted.
    Begin,
    /// When it began, in nanoseconds.
    Time(u64),
}

impl Begun {
    /// Records the outcome and the latency. Any context, NMI included.
    #[inline]
    pub(crate) fn done(self, success: bool) {
        if !matches!(self.noted, Noted::Nothing) {
            PUBLISHED.with(|stats| stats.transferred(self, success));
        }
    }
}

impl Stats {
    /// Notes that a transfer begins that is to be recorded here. Any context, NMI included.
    #[inline]
    pub(crate) fn transfer(&self, kind: Transfer) -> Begun {
        let noted = match self.recording() {
            Recording::Off => Noted::Nothing,
            Recording::Counters => Noted::Begin,
            Recording::Full => Noted::Time(clock::nanos_in_any_context()),
        };
        Begun { kind, noted }
    }

    /// Records the outcome and the latency of a transfer here. Any context, NMI included.
    #[inline]
    pub(crate) fn transferred(&self, begun: Begun, success: bool) {
        let nanos = match begun.noted {
            Noted::Nothing => return,
            Noted::Begin => None,
            Noted::Time(began) => Some(clock::nanos_in_any_context().saturating_sub(began)),
        };
        self.transfers.count(begun.kind, success, nanos);
    }
}

/// Samples of all kinds. Each kind is its own only source.
pub(super) struct Transfers(KVec<OfKind>);

type OfKind = Samples<{ counters(1) }>;

impl Transfers {
    /// Makes them, all zero. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        let mut kinds = KVec::with_capacity(Transfer::COUNT, GFP_KERNEL)?;
        for _ in Transfer::ALL {
            kinds.push(Samples::new()?, GFP_KERNEL)?;
        }
        Ok(Self(kinds))
    }

    fn count(&self, kind: Transfer, success: bool, nanos: Option<u64>) {
        let Some(samples) = self.0.get(kind as usize) else {
            return;
        };
        let sample = samples.open();
        if let Some(nanos) = nanos {
            sample.latency(nanos, 0);
        }
        sample.outcome(success);
    }

    /// Adds the counts of lent pages to totals in the order of [`Transfer::ALL`]. Returned pages
    /// are read first, so that they are never more than the lent ones.
    pub(super) fn add_foreign_to(&self, totals: &mut [Totals]) {
        if let Some(totals) = totals.get_mut(Transfer::FromForeign as usize) {
            totals.success += foreign_pages::count(ForeignEvent::Returned);
            totals.failure += foreign_pages::count(ForeignEvent::Refused);
        }
        if let Some(totals) = totals.get_mut(Transfer::IntoForeign as usize) {
            totals.success += foreign_pages::count(ForeignEvent::Given);
        }
    }

    /// The samples, in the order of [`Transfer::ALL`].
    pub(super) fn samples(&self) -> &[OfKind] {
        &self.0
    }
}

/// The transfers of one kind at one time. Its methods may be called in any context.
pub struct TransferSnapshot {
    kind: Transfer,
    latencies: Latencies,
}

impl TransferSnapshot {
    pub(super) fn new(kind: Transfer, totals: Totals) -> Self {
        Self {
            kind,
            latencies: Latencies::new(totals),
        }
    }

    /// What is counted here.
    pub fn kind(&self) -> Transfer {
        self.kind
    }
}

impl Deref for TransferSnapshot {
    type Target = Latencies;

    fn deref(&self) -> &Latencies {
        &self.latencies
    }
}
