// SPDX-License-Identifier: GPL-2.0

//! The longest path of a request that succeeds: past an empty cache, and past an allocator that
//! refuses, to the reserve.
//!
//! This does not exist on PREEMPT_RT, where the allocator cannot be called with interrupts
//! disabled. With interrupts enabled, the worst case would contain the longest interrupt.

use super::{
    pool::full_pool,
    timing, //
};
use crate::ffi::bench::clock;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};
use labyrinth::{
    context::Softirq,
    irq::irqs_off,
    pool::{
        Priority,
        RegisteredPool,
        Request,
        Tier, //
    },
    ExclusivePages,
    GfpNoWait,
    NoWarn,
    Place,
    Uninit, //
};

/// The number of requests, and of pages in the reserve.
const REQUESTS: usize = 256;

/// The maximum of pages that are taken to empty the allocator: 4 GiB.
const MAX_HOARD: usize = 1 << 20;

/// Uses up all memory above the min watermark during the measurement, and writes
///
/// ```text
/// worst reserve_after_miss BEST MEDIAN WORST CLOCK      each of the three contains CLOCK
/// ```
pub(super) fn run(out: &SeqFile) -> Result {
    let figures = Arc::new(Figures::new(), GFP_KERNEL)?;
    let mut chain = Chain {
        pool: full_pool(0, 0, 0, REQUESTS)?,
        hoard: KVVec::with_capacity(MAX_HOARD, GFP_KERNEL)?,
        samples: KVec::from_elem(0, REQUESTS, GFP_KERNEL)?,
    };
    let mut result = Some(figures.clone());

    // This is all in one call: the memory is back before anything else runs.
    let measured = timing::time(1, move |cx| {
        result
            .take()
            .is_none_or(|figures| chain.measure(cx, &figures))
    });
    match measured {
        Ok(_) => seq_print!(
            out,
            "worst reserve_after_miss {} {} {} {}\n",
            figures.best.load(Relaxed),
            figures.median.load(Relaxed),
            figures.worst.load(Relaxed),
            figures.clock.load(Relaxed)
        ),
        Err(error) if error == ENOMEM => {
            seq_print!(out, "failed reserve_after_miss 0 1 some memory was left\n");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

struct Figures {
    best: Atomic<u64>,
    median: Atomic<u64>,
    worst: Atomic<u64>,
    clock: Atomic<u64>,
}

impl Figures {
    fn new() -> Self {
        Self {
            best: Atomic::new(0),
            median: Atomic::new(0),
            worst: Atomic::new(0),
            clock: Atomic::new(0),
        }
    }
}

struct Chain {
    pool: Arc<RegisteredPool>,
    hoard: KVVec<ExclusivePages<Uninit>>,
    samples: KVec<u64>,
}

impl Chain {
    /// Returns whether every request reached the reserve and was served there.
    fn measure(&mut self, cx: &mut Softirq, figures: &Figures) -> bool {
        while let Ok(page) = ExclusivePages::alloc(&*cx, NoWarn(GfpNoWait), 0, Place::Any) {
            if self.hoard.push_within_capacity(page).is_err() {
                break;
            }
        }

        let pool = &self.pool;
        let mut as_wanted = true;
        let mut clock_cost = u64::MAX;
        for sample in &mut self.samples {
            let mut request = Request::new(Priority::Normal);
            let (page, took, nothing) = irqs_off(cx, |cx| {
                let start = clock();
                let page = pool.get(cx, &mut request);
                let end = clock();
                (
                    page,
                    end.wrapping_sub(start),
                    clock().wrapping_sub(end), //
                )
            });
            *sample = took;
            clock_cost = clock_cost.min(nothing);
            as_wanted &= page.is_some() && request.last_tier() == Some(Tier::Reserve);
            if let Some(page) = page {
                pool.put(&*cx, page);
            }
        }
        self.hoard.clear();

        timing::sort(&mut self.samples);
        figures.best.store(self.samples[0], Relaxed);
        figures.median.store(self.samples[REQUESTS / 2], Relaxed);
        figures.worst.store(self.samples[REQUESTS - 1], Relaxed);
        figures.clock.store(clock_cost, Relaxed);
        as_wanted
    }
}
