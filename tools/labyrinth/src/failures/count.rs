// SPDX-License-Identifier: GPL-2.0

//! Counts failures, without their details.

use super::{
    cpus,
    probe::{Probe, Source},
    problem,
    watch::Watch,
};
use crate::progress::Progress;
use std::path::Path;

/// A running count.
pub struct Count {
    watch: Watch,
}

impl Count {
    /// Starts to count, if that costs nothing on this machine.
    pub fn start(root: &Path) -> Option<Self> {
        if problem::expected(Source::Kprobe, root).is_some() {
            return None;
        }
        let online = cpus::online(root).ok()?;
        let probe = Probe::of(Source::Kprobe, root).ok()?;

        Some(Self {
            watch: Watch::start(probe, root, &online, Progress::silent()).ok()?,
        })
    }

    /// Returns the number of failures so far.
    pub fn total(&mut self) -> u64 {
        self.watch.total()
    }
}
