// SPDX-License-Identifier: GPL-2.0

//! The edge to user space: `/sys/kernel/debug/labyrinth/`.
//!
//! ```text
//! stats                 a table for people
//! latency               histograms for people
//! metrics               all of it as OpenMetrics text
//! reset                 write 1: count from zero again
//! recording             0: off, 1: on, 2: outcomes without latencies
//! sentinel              about damaged guards: 0: count them, 1: warn, 2: panic
//! corruption            the last damaged guards, the oldest first
//! exercise/<context>/   run (0 or 1), period_us, batch, hold_us, pool, priority,
//!                       guard
//! wall/                 what `make wall` drives: prepare, burst, hold, release, results,
//!                       memory
//! ```

#![forbid(unsafe_code)]

mod control;
mod corruption;
mod latency;
mod metrics;
mod stats;
mod wall;

use crate::{
    exercise::Exercises,
    ffi::debugfs::Root, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Makes all files. Dropping the result removes them. Task context only, may sleep.
///
/// Once this has returned a file may be open and in use, so it has to be the last step of loading
/// that can fail.
pub(crate) fn create(exercises: Arc<Exercises>) -> Result<Root<Exercises>> {
    let root = Root::new(c"labyrinth", exercises)
        .inspect_err(|_| pr_err!("cannot create the debugfs folder 'labyrinth'\n"))?;
    let top = root.top();

    top.read_only::<stats::Table>(c"stats");
    top.read_only::<latency::Histograms>(c"latency");
    top.read_only::<metrics::OpenMetrics>(c"metrics");
    top.read_only::<corruption::Last>(c"corruption");
    control::create(&top);
    #[cfg(labyrinth_bench)]
    crate::bench::create(&top);
    wall::create(&top);
    Ok(root)
}
