// SPDX-License-Identifier: GPL-2.0

//! Starting and stopping.

use super::{
    Setting,
    Settings, //
};
use crate::{
    ffi::context::Task,
    source::{
        KeptPool,
        Supply, //
    },
    stats::Stats, //
};
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
    /// Starts. May sleep.
    fn start(cx: &Task, means: &Arc<Means>) -> Result<Self>;
}

/// What an exercise works with.
pub(crate) struct Means {
    /// How it is tuned.
    pub(super) settings: Settings,
    /// Where it records.
    pub(super) stats: Arc<Stats>,
    /// Where its pages come from, if the settings say so.
    pub(super) pool: Arc<KeptPool>,
}

impl Means {
    /// Where pages come from now. Any context.
    pub(super) fn supply(&self) -> Supply<'_> {
        if self.settings.get(Setting::Pool) != 0 {
            Supply::Pool(&self.pool, self.settings.priority())
        } else {
            Supply::Buddy
        }
    }
}

/// The switch of one exercise.
#[pin_data]
pub(crate) struct Control<W: Workload> {
    #[pin]
    workload: Mutex<Option<W>>,
    /// Whether there is a workload, for reports: they must not wait while one is being stopped.
    running: Atomic<bool>,
    means: Arc<Means>,
}

impl<W: Workload> Control<W> {
    /// Makes an exercise that does not run yet.
    pub(crate) fn new(means: Means) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            workload <- new_mutex!(None),
            running: Atomic::new(false),
            means: Arc::new(means, GFP_KERNEL)?,
        }? Error)
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &Settings {
        &self.means.settings
    }

    /// Whether it runs. Any context.
    pub(crate) fn running(&self) -> bool {
        self.running.load(Relaxed)
    }

    /// Starts or stops it; asking for what is already so does nothing. Sleeps.
    pub(crate) fn set_running(&self, cx: &Task, run: bool) -> Result {
        let mut workload = self.workload.lock();

        if !run {
            *workload = None;
        } else if workload.is_none() {
            *workload = Some(W::start(cx, &self.means)?);
        }
        self.running.store(run, Relaxed);
        Ok(())
    }
}
