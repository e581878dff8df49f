// SPDX-License-Identifier: GPL-2.0

//! Hand-overs of pages from one holder to another: how many, how fast.
//!
//! A page is as large as a pointer and knows nothing of statistics. So those to record in are
//! published: [`Handover::begin`] finds them, in any context.
//!
//! ```ignore
//! let begun = Handover::Share.begin();
//! let result = share(page);
//! begun.done(result.is_ok());
//! ```

use super::{
    histogram::{
        self,
        BUCKETS, //
    },
    series::Totals,
    Latencies,
    Recording,
    Stats, //
};
use crate::ffi::{
    clock,
    percpu::CpuCounters,
    published::{
        Publication,
        Published, //
    }, //
};
use core::ops::Deref;
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::Arc, //
};

/// The kinds of hand-overs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handover {
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
    /// Single pages to one view of them side by side.
    View,
    /// A view to single pages.
    Unview,
    /// A page's guards were looked at. It fails if they were overwritten.
    SentinelCheck,
}

impl Handover {
    /// All kinds, in the order of reports; `kind as usize` is the index.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Share,
        Self::TakeBack,
        Self::Scrub,
        Self::MapDevice,
        Self::SyncCpu,
        Self::UnmapDevice,
        Self::MapUser,
        Self::ReturnUser,
        Self::View,
        Self::Unview,
        Self::SentinelCheck,
    ];

    /// How many there are.
    pub(crate) const COUNT: usize = 11;

    /// The name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::TakeBack => "take_back",
            Self::Scrub => "scrub",
            Self::MapDevice => "map_device",
            Self::SyncCpu => "sync_cpu",
            Self::UnmapDevice => "unmap_device",
            Self::MapUser => "map_user",
            Self::ReturnUser => "return_user",
            Self::View => "view",
            Self::Unview => "unview",
            Self::SentinelCheck => "sentinel_check",
        }
    }

    /// Notes that a hand-over begins. Any context, NMI included.
    ///
    /// What is never done is not counted.
    #[inline]
    pub(crate) fn begin(self) -> Begun {
        PUBLISHED
            .with(|stats| stats.handover(self))
            .unwrap_or(Begun {
                kind: self,
                noted: Noted::Nothing,
            })
    }
}

/// The statistics that hand-overs are recorded in.
static PUBLISHED: Published<Arc<Stats>> = Published::new();

/// That hand-overs are being recorded. Dropping it ends that: task context only, sleeps.
pub(crate) type Recorded = Publication<Arc<Stats>>;

/// Has all hand-overs recorded in `stats`. Task context only, may sleep. `EBUSY` if they are recorded
/// elsewhere, `ENOMEM` if there is no memory.
pub(crate) fn record_in(stats: Arc<Stats>) -> Result<Recorded> {
    PUBLISHED.publish(stats)
}

/// A hand-over that has begun.
#[must_use = "a hand-over that is never done is not recorded"]
pub(crate) struct Begun {
    kind: Handover,
    noted: Noted,
}

/// What is known of a hand-over.
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
            PUBLISHED.with(|stats| stats.handed_over(self, success));
        }
    }
}

impl Stats {
    /// Notes that a hand-over begins that is to be recorded here. Any context, NMI included.
    #[inline]
    pub(crate) fn handover(&self, kind: Handover) -> Begun {
        let noted = match self.recording() {
            Recording::Off => Noted::Nothing,
            Recording::Counters => Noted::Begin,
            Recording::Full => Noted::Time(clock::nanos_in_any_context()),
        };
        Begun { kind, noted }
    }

    /// Records the outcome and the latency of a hand-over here. Any context, NMI included.
    #[inline]
    pub(crate) fn handed_over(&self, begun: Begun, success: bool) {
        let nanos = match begun.noted {
            Noted::Nothing => return,
            Noted::Begin => None,
            Noted::Time(began) => Some(clock::nanos_in_any_context().saturating_sub(began)),
        };
        self.handovers.count(begun.kind, success, nanos);
    }
}

/// What is counted of each kind: the index of a counter. The histogram comes first.
mod index {
    pub(super) use super::BUCKETS as LATENCY_SUM;

    pub(super) const SUCCESS: usize = LATENCY_SUM + 1;
    pub(super) const FAILURE: usize = LATENCY_SUM + 2;
    pub(super) const LATENCY_MAX: usize = LATENCY_SUM + 3;
    /// The bitwise complement of the minimum, so that zero stands for "none yet".
    pub(super) const LATENCY_MIN_COMPLEMENT: usize = LATENCY_SUM + 4;
    pub(super) const COUNT: usize = LATENCY_SUM + 5;
}

/// Counters and histograms of all kinds, for each CPU.
pub(super) struct Handovers(KVec<CpuCounters<{ index::COUNT }>>);

impl Handovers {
    /// Makes them, all zero. Task context only, may sleep.
    pub(super) fn new() -> Result<Self, AllocError> {
        let mut kinds = KVec::with_capacity(Handover::COUNT, GFP_KERNEL)?;
        for _ in Handover::ALL {
            kinds.push(CpuCounters::new()?, GFP_KERNEL)?;
        }
        Ok(Self(kinds))
    }

    /// The order is that of a request for a page, and for the same reason: see
    /// [`Here::latency`](super::series::Here::latency).
    fn count(&self, kind: Handover, success: bool, nanos: Option<u64>) {
        let Some(counters) = self.0.get(kind as usize) else {
            return;
        };
        let here = counters.all();
        if let Some(nanos) = nanos {
            here.raise::<{ index::LATENCY_MAX }>(nanos);
            here.raise::<{ index::LATENCY_MIN_COMPLEMENT }>(!nanos);
            here.add_at::<{ index::LATENCY_SUM }>(nanos);
            here.increment(histogram::index(nanos));
        }
        if success {
            here.increment_at::<{ index::SUCCESS }>();
        } else {
            here.increment_at::<{ index::FAILURE }>();
        }
    }

    /// The sums over all CPUs, in the order of [`Handover::ALL`]: outcomes, then samples, then
    /// extremes. Task context only, may sleep.
    pub(super) fn totals(&self) -> Result<KVVec<Totals>, AllocError> {
        let mut all = KVVec::with_capacity(Handover::COUNT, GFP_KERNEL)?;

        for counters in &self.0 {
            let mut totals = Totals::zero()?;
            let mut sum = [0];
            totals.success = counters.sum(index::SUCCESS);
            totals.failure = counters.sum(index::FAILURE);
            counters.sum_each(0, &mut totals.latency);
            counters.sum_each(index::LATENCY_SUM, &mut sum);
            [totals.latency_sum] = sum;
            totals.latency_max = counters.max(index::LATENCY_MAX);
            totals.latency_min = !counters.max(index::LATENCY_MIN_COMPLEMENT);
            all.push(totals, GFP_KERNEL)?;
        }
        Ok(all)
    }

    /// Clears minimum and maximum, which cannot be subtracted.
    pub(super) fn forget_extremes(&self) {
        for counters in &self.0 {
            counters.clear(index::LATENCY_MAX, |_| true);
            counters.clear(index::LATENCY_MIN_COMPLEMENT, |_| true);
        }
    }
}

/// The hand-overs of one kind at one time.
pub(crate) struct HandoverView {
    kind: Handover,
    latencies: Latencies,
}

impl HandoverView {
    pub(super) fn new(kind: Handover, totals: Totals) -> Self {
        Self {
            kind,
            latencies: Latencies::new(totals),
        }
    }

    /// What is counted here.
    pub(crate) fn kind(&self) -> Handover {
        self.kind
    }
}

impl Deref for HandoverView {
    type Target = Latencies;

    fn deref(&self) -> &Latencies {
        &self.latencies
    }
}
