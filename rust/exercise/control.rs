// SPDX-License-Identifier: GPL-2.0

//! Starting and stopping.

use super::Settings;
use crate::stats::Stats;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex, //
    }, //
};

/// An exercise while it runs. Dropping it stops it and frees its pages.
pub(crate) trait Workload: Sized + Send + Unpin {
    /// Starts. Task context only, may sleep.
    fn start(settings: &Arc<Settings>, stats: &Arc<Stats>) -> Result<Self>;
}

/// The switch of one exercise.
#[pin_data]
pub(crate) struct Control<W: Workload> {
    #[pin]
    workload: Mutex<Option<W>>,
    /// Whether there is a workload, for reports: they must not wait while one is being stopped.
    running: Atomic<bool>,
    settings: Arc<Settings>,
    stats: Arc<Stats>,
}

impl<W: Workload> Control<W> {
    /// Makes an exercise that does not run yet.
    pub(crate) fn new(settings: Settings, stats: Arc<Stats>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            workload <- new_mutex!(None),
            running: Atomic::new(false),
            settings: Arc::new(settings, GFP_KERNEL)?,
            stats,
        }? Error)
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether it runs. Any context.
    pub(crate) fn running(&self) -> bool {
        self.running.load(Relaxed)
    }

    /// Starts or stops it; asking for what is already so does nothing. Task context only, sleeps.
    pub(crate) fn set_running(&self, run: bool) -> Result {
        let mut workload = self.workload.lock();

        if !run {
            *workload = None;
        } else if workload.is_none() {
            *workload = Some(W::start(&self.settings, &self.stats)?);
        }
        self.running.store(run, Relaxed);
        Ok(())
    }
}
