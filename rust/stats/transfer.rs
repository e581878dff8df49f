// SPDX-License-Identifier: GPL-2.0

//! Counters and latencies of transfers.

use super::{
    samples::{
        counters,
        Samples, //
    },
    totals::Totals,
    Latencies,
    Recording,
    Stats, //
};
use crate::ffi::time::clock;
use core::ops::Deref;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// The kinds of transfers that statistics tell apart.
pub struct TransferKinds {
    /// Their names in reports.
    pub(crate) names: &'static [&'static str],
    /// Reads counters of transfers that are not counted here. It passes the index of a kind,
    /// whether the number is one of successes, and the number.
    pub(crate) counted_elsewhere: fn(&mut dyn FnMut(usize, bool, u64)),
}

/// The note that is made when a transfer begins.
pub(crate) enum TransferNoted {
    /// Recording is off.
    Nothing,
    /// The transfer is to be counted.
    Begin,
    /// When it began, in nanoseconds.
    Time(u64),
}

impl Stats {
    /// Notes that a transfer begins. Any context, NMI included.
    #[inline]
    pub(crate) fn transfer_begins(&self) -> TransferNoted {
        match self.recording() {
            Recording::Off => TransferNoted::Nothing,
            Recording::Counters => TransferNoted::Begin,
            Recording::Full => TransferNoted::Time(clock::nanos_in_any_context()),
        }
    }

    /// Records the outcome and the latency of a transfer. `kind` is the index of its kind. Any
    /// context, NMI included.
    #[inline]
    pub(crate) fn transfer_done(&self, kind: usize, noted: TransferNoted, success: bool) {
        let nanos = match noted {
            TransferNoted::Nothing => return,
            TransferNoted::Begin => None,
            TransferNoted::Time(began) => Some(clock::nanos_in_any_context().saturating_sub(began)),
        };
        self.transfers.count(kind, success, nanos);
    }
}

/// The samples of all kinds of transfers. Each kind has one source.
pub(super) struct Transfers {
    kinds: &'static TransferKinds,
    samples: KVec<OfKind>,
}

type OfKind = Samples<{ counters(1) }>;

impl Transfers {
    /// Makes counters that are all zero. Task context only, may sleep.
    pub(super) fn new(kinds: &'static TransferKinds) -> Result<Self, AllocError> {
        let mut samples = KVec::with_capacity(kinds.names.len(), GFP_KERNEL)?;
        for _ in kinds.names {
            samples.push(Samples::new()?, GFP_KERNEL)?;
        }
        Ok(Self { kinds, samples })
    }

    fn count(&self, kind: usize, success: bool, nanos: Option<u64>) {
        let Some(samples) = self.samples.get(kind) else {
            return;
        };
        let sample = samples.open();
        if let Some(nanos) = nanos {
            sample.latency(nanos, 0);
        }
        sample.outcome(success);
    }

    /// Adds the counters that are elsewhere to the totals of all kinds.
    pub(super) fn add_elsewhere_to(&self, totals: &mut [Totals]) {
        (self.kinds.counted_elsewhere)(&mut |kind, success, count| {
            if let Some(totals) = totals.get_mut(kind) {
                if success {
                    totals.success += count;
                } else {
                    totals.failure += count;
                }
            }
        });
    }

    /// The names of the kinds.
    pub(super) fn names(&self) -> &'static [&'static str] {
        self.kinds.names
    }

    /// The samples of each kind.
    pub(super) fn samples(&self) -> &[OfKind] {
        &self.samples
    }
}

/// The transfers of one kind at one time. Its methods may be called in any context.
pub struct TransferSnapshot {
    name: &'static str,
    latencies: Latencies,
}

impl TransferSnapshot {
    pub(super) fn new(name: &'static str, totals: Totals) -> Self {
        Self {
            name,
            latencies: Latencies::new(totals),
        }
    }

    /// The name of the kind.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl Deref for TransferSnapshot {
    type Target = Latencies;

    fn deref(&self) -> &Latencies {
        &self.latencies
    }
}
