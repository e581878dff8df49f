// SPDX-License-Identifier: GPL-2.0

//! The files in `/sys/kernel/debug/labyrinth/`.
//!
//! ```text
//! stats                 a table for people
//! latency               histograms for people
//! metrics               all of it as OpenMetrics text
//! reset                 write 1: count from zero again
//! recording             0: off, 1: on, 2: outcomes without latencies
//! sentinel              reaction to damaged guards: 0: count, 1: warn, 2: panic
//! corruption            the last damaged guards, the oldest first
//! pool/prime            write N: fill the reserve of the pool `default`, and N pages of each cache
//! pool/emergency_budget the budget of the pool `default`
//! exercise/<context>/   run (0 or 1), period_us, batch, hold_us, pool, priority,
//!                       guard
//! ```

#![forbid(unsafe_code)]

mod columns;
mod control;
mod corruption;
mod latency;
mod metrics;
mod stats;

use crate::exercise::Exercises;
use kernel::{
    fmt,
    prelude::*,
    sync::Arc, //
};
use labyrinth::debugfs::Root;

/// Makes all files. Dropping the result removes them. Task context only, may sleep.
///
/// If debugfs does not work, there are no files, and the kernel log says why. Pools, devices and
/// exercises work without the files. After this has returned, a process may have a file open, so
/// loading the module must not fail any more.
pub(crate) fn create(exercises: Arc<Exercises>) -> Option<Root<Exercises>> {
    let root = Root::new(c"labyrinth", exercises)
        .inspect_err(|&error| say_why(error))
        .ok()?;
    let top = root.top();

    top.read_only::<stats::Table>(c"stats");
    top.read_only::<latency::Histograms>(c"latency");
    top.read_only::<metrics::OpenMetrics>(c"metrics");
    top.read_only::<corruption::Last>(c"corruption");
    control::create(&top);
    Some(root)
}

/// Logs why there are no files.
fn say_why(error: Error) {
    const WHAT: &str = "no reports and no control files";

    // The first two errors are due to the configuration of the machine.
    if error == EPERM {
        pr_notice!(
            "{WHAT}: debugfs is switched off (debugfs=off, or CONFIG_DEBUG_FS_ALLOW_NONE)\n"
        );
    } else if error == ENODEV {
        pr_notice!("{WHAT}: the kernel has no debugfs (CONFIG_DEBUG_FS)\n");
    } else {
        pr_warn!("{WHAT}: cannot create the debugfs folder 'labyrinth': {error:?}\n");
    }
}
