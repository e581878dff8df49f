// SPDX-License-Identifier: GPL-2.0

//! Starting and stopping, on every CPU that is online meanwhile.
//!
//! Lock order: the switch of an exercise ([`Control`]), the CPU hotplug lock, the workloads of all
//! CPUs ([`Cpus`]). The callbacks of CPU hotplug take the last one, but never the first.

use super::{
    Setting,
    Settings, //
};
use kernel::{
    cpu::nr_cpu_ids,
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
use labyrinth::{
    context::Task,
    cpu::{
        CpuHandler,
        EachCpu,
        OnlineCpu, //
    },
    pool::{
        RegisteredPool,
        Supply, //
    },
    stats::Stats, //
};

/// The part of an exercise that works on one CPU. Dropping it stops it and frees its pages.
pub(crate) trait Workload: Sized + Send + Unpin + 'static {
    /// The name of the exercise.
    const NAME: &'static CStr;

    /// Starts on a CPU. Task context, may sleep. The CPU hotplug lock is held, so this must neither
    /// take it nor wait for a task that does.
    fn start_on(cpu: OnlineCpu<'_>, means: &Arc<Resources>) -> Result<Self>;
}

/// What an exercise works with.
pub(crate) struct Resources {
    /// How it is tuned.
    pub(super) settings: Settings,
    /// Where it records.
    pub(super) stats: Arc<Stats>,
    /// Where its pages come from, if the settings say so.
    pub(super) pool: Arc<RegisteredPool>,
}

impl Resources {
    /// Where pages come from now. Any context.
    pub(super) fn supply(&self) -> Supply<'_> {
        if self.settings.get(Setting::Pool) != 0 {
            Supply::Pool(&self.pool, self.settings.priority())
        } else {
            self.allocator()
        }
    }

    /// The allocator itself as where pages come from. Any context.
    pub(super) fn allocator(&self) -> Supply<'_> {
        Supply::Buddy(&self.pool)
    }
}

/// The workloads of a running exercise, one for each CPU that is online.
struct Cpus<W>(Pin<KBox<Workloads<W>>>);

#[pin_data]
struct Workloads<W> {
    /// By the CPU's number.
    #[pin]
    workloads: Mutex<KVec<Option<W>>>,
    means: Arc<Resources>,
}

impl<W: Workload> Cpus<W> {
    /// Makes an empty place for each of them. None has started yet.
    fn new(means: &Arc<Resources>) -> Result<Self> {
        let mut workloads = KVec::with_capacity(nr_cpu_ids() as usize, GFP_KERNEL)?;
        for _ in 0..nr_cpu_ids() {
            workloads.push(None, GFP_KERNEL)?;
        }
        let workloads = KBox::pin_init(
            pin_init!(Workloads {
                workloads <- new_mutex!(workloads),
                means: means.clone(),
            }),
            GFP_KERNEL,
        )?;
        Ok(Self(workloads))
    }

    /// Replaces the workload of a CPU, which is dropped.
    fn replace(&self, cpu: OnlineCpu<'_>, workload: Option<W>) {
        if let Some(place) = self.0.workloads.lock().get_mut(cpu.number() as usize) {
            *place = workload;
        }
    }
}

impl<W: Workload> CpuHandler for Cpus<W> {
    fn arrive(&self, cpu: OnlineCpu<'_>) -> Result {
        let workload = W::start_on(cpu, &self.0.means).inspect_err(|error| {
            let cpu = cpu.number();
            pr_warn!("{} does not run on CPU {cpu}: {error:?}\n", W::NAME);
        })?;
        self.replace(cpu, Some(workload));
        Ok(())
    }

    fn leave(&self, cpu: OnlineCpu<'_>) {
        self.replace(cpu, None);
    }
}

/// The switch of one exercise.
#[pin_data]
pub(crate) struct Control<W: Workload> {
    #[pin]
    workload: Mutex<Option<EachCpu<Cpus<W>>>>,
    /// Whether there is a workload, for reports: they must not wait while one is being stopped.
    running: Atomic<bool>,
    means: Arc<Resources>,
}

impl<W: Workload> Control<W> {
    /// Makes an exercise that does not run yet.
    pub(crate) fn new(means: Resources) -> impl PinInit<Self, Error> {
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

    /// Starts or stops it; does nothing if it already runs or stands still. Sleeps; takes the CPU
    /// hotplug lock.
    pub(crate) fn set_running(&self, cx: &Task, run: bool) -> Result {
        let mut workload = self.workload.lock();

        if !run {
            *workload = None;
        } else if workload.is_none() {
            let cpus = Cpus::new(&self.means)?;
            *workload = Some(EachCpu::new(cx, W::NAME, cpus)?);
        }
        self.running.store(run, Relaxed);
        Ok(())
    }
}
