// SPDX-License-Identifier: GPL-2.0

//! Starts and stops an exercise on every CPU that is online.
//!
//! Lock order: the switch of an exercise ([`Control`]), the CPU hotplug lock, the workloads of all
//! CPUs ([`Cpus`]). The callbacks of CPU hotplug take the last one, but never the first.

use super::{
    Row,
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
pub(super) trait Workload: Sized + Send + Unpin + 'static {
    /// The names (`Gfp::NAME`) of all allocation flags that it uses.
    const FLAGS: &'static [&'static str];

    /// Starts on a CPU. Task context, may sleep. The caller holds the CPU hotplug lock, so this
    /// must neither take it nor wait for a task that does.
    fn start_on(cpu: OnlineCpu<'_>, resources: &Arc<Resources>) -> Result<Self>;
}

/// One exercise, to start, stop and tune.
pub(crate) trait Exercise: Send + Sync {
    /// The settings.
    fn settings(&self) -> &Settings;

    /// Whether it runs. Any context.
    fn running(&self) -> bool;

    /// Starts or stops it, which does nothing if it already runs or has stopped. Sleeps; takes the
    /// CPU hotplug lock. When it has stopped, all its pages are freed.
    fn set_running(&self, cx: &Task, run: bool) -> Result;
}

/// The resources of an exercise.
pub(super) struct Resources {
    /// Its row in the table.
    pub(super) row: &'static Row,
    /// Its settings.
    pub(super) settings: Settings,
    /// The statistics that it records into.
    pub(super) stats: Arc<Stats>,
    /// The pool that its pages come from if the settings say so.
    pub(super) pool: Arc<RegisteredPool>,
}

impl Resources {
    /// Returns the source of pages that the settings select. Any context.
    pub(super) fn supply(&self) -> Supply<'_> {
        if self.settings.get(Setting::Pool) != 0 {
            Supply::Pool(&self.pool, self.settings.priority())
        } else {
            self.allocator()
        }
    }

    /// Returns the allocator as the source of pages. Any context.
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
    resources: Arc<Resources>,
}

impl<W: Workload> Cpus<W> {
    /// Makes room for the workloads of all CPUs, of which none has started.
    fn new(resources: &Arc<Resources>) -> Result<Self> {
        let mut workloads = KVec::with_capacity(nr_cpu_ids() as usize, GFP_KERNEL)?;
        for _ in 0..nr_cpu_ids() {
            workloads.push(None, GFP_KERNEL)?;
        }
        let workloads = KBox::pin_init(
            pin_init!(Workloads {
                workloads <- new_mutex!(workloads),
                resources: resources.clone(),
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
        let resources = &self.0.resources;
        let workload = W::start_on(cpu, resources).inspect_err(|error| {
            let (title, cpu) = (resources.row.title, cpu.number());
            pr_warn!("{title} does not run on CPU {cpu}: {error:?}\n");
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
pub(super) struct Control<W: Workload> {
    #[pin]
    workload: Mutex<Option<EachCpu<Cpus<W>>>>,
    /// Whether there is a workload. Reports read it, because they must not wait while a workload is
    /// being stopped.
    running: Atomic<bool>,
    resources: Arc<Resources>,
}

impl<W: Workload> Control<W> {
    /// Makes an exercise that does not run yet.
    pub(super) fn new(resources: Resources) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            workload <- new_mutex!(None),
            running: Atomic::new(false),
            resources: Arc::new(resources, GFP_KERNEL)?,
        }? Error)
    }
}

impl<W: Workload> Exercise for Control<W> {
    fn settings(&self) -> &Settings {
        &self.resources.settings
    }

    fn running(&self) -> bool {
        self.running.load(Relaxed)
    }

    fn set_running(&self, cx: &Task, run: bool) -> Result {
        let mut workload = self.workload.lock();

        if !run {
            *workload = None;
        } else if workload.is_none() {
            let cpus = Cpus::new(&self.resources)?;
            *workload = Some(EachCpu::new(cx, self.resources.row.title, cpus)?);
        }
        self.running.store(run, Relaxed);
        Ok(())
    }
}
