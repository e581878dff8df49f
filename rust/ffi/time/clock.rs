// SPDX-License-Identifier: GPL-2.0

//! The clock for latencies.
//!
//! It is `CLOCK_MONOTONIC` by way of [`Instant`], that is `ktime_get()`. It never goes backwards,
//! also across CPUs. It may be read in task, softirq and hard interrupt context, but not in NMI.
//!
//! C header: [`include/linux/timekeeping.h`](srctree/include/linux/timekeeping.h)

use kernel::{
    bindings,
    time::{
        Instant,
        Monotonic, //
    }, //
};

/// A point in time.
#[derive(Clone, Copy)]
pub struct Moment(Instant<Monotonic>);

impl Moment {
    /// Reads the clock. Any context but NMI.
    #[inline]
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// Returns the nanoseconds from `earlier` to this moment, or 0 if `earlier` is later. Any
    /// context.
    #[inline]
    pub fn nanos_since(self, earlier: Self) -> u64 {
        u64::try_from((self.0 - earlier.0).as_nanos()).unwrap_or(0)
    }
}

/// Returns the time of the same clock in nanoseconds. Any context, NMI included.
///
/// The price for NMI is a small error at times: a later moment can have the smaller number.
#[inline]
pub(crate) fn nanos_in_any_context() -> u64 {
    // SAFETY: No requirements.
    unsafe { bindings::ktime_get_mono_fast_ns() }
}

/// Measures the clock's own cost in nanoseconds: the mean over 100 reads in a row, and of ten tries
/// the best, as the first ones find cold caches.
///
/// Every recorded latency contains about one such read.
pub(crate) fn read_cost_nanos() -> u64 {
    const READS: u64 = 100;

    let one_try = || {
        let start = Moment::now();
        let mut last = start;
        for _ in 0..READS {
            last = core::hint::black_box(Moment::now());
        }
        last.nanos_since(start).div_ceil(READS)
    };
    (0..10).map(|_| one_try()).min().unwrap_or(0)
}
