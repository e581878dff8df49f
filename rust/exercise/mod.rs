// SPDX-License-Identifier: GPL-2.0

//! Who asks for pages: one exercise for each context, all of them safe Rust.
//!
//! An exercise works in cycles: allocate a batch, write to every page, hold the batch for a while,
//! verify every page, free the batch, wait for the rest of the period.

#![forbid(unsafe_code)]

mod control;
mod cycle;
mod hard_irq;
mod in_flight;
#[cfg(CONFIG_KUNIT = "y")]
mod kunit;
mod pace;
mod pattern;
mod settings;
mod spinlock;
mod task;
mod timer_softirq;

pub(crate) use control::{
    Control,
    Resources,
    Workload, //
};
pub(crate) use hard_irq::HardIrq;
pub(crate) use settings::{
    Setting,
    Settings, //
};
pub(crate) use spinlock::Spinlock;
pub(crate) use task::Task;
pub(crate) use timer_softirq::TimerSoftirq;

use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    context,
    pool::{
        Pool,
        RegisteredPool, //
    },
    stats::{
        Context,
        Label,
        LeakCheck,
        Registration,
        Row,
        Stats, //
    }, //
};

/// What the module is told about one exercise when it is loaded.
pub(crate) struct Plan {
    /// Whether it starts at once.
    pub(crate) start: bool,
    /// How it starts.
    pub(crate) settings: Settings,
}

/// All exercises.
///
/// The order of the fields matters: exercises stop, then the leak check runs.
#[pin_data]
pub(crate) struct Exercises {
    #[pin]
    timer_softirq: Control<TimerSoftirq>,
    #[pin]
    spinlock: Control<Spinlock>,
    #[pin]
    task: Control<Task>,
    #[pin]
    hard_irq: Control<HardIrq>,
    _leak_check: LeakCheck,
    pool: Arc<RegisteredPool>,
    stats: Arc<Stats>,
}

const NAMES: [&str; 4] = {
    let mut names = [""; 4];
    let mut i = 0;
    while i < names.len() {
        names[i] = Context::ALL[i].name();
        i += 1;
    }
    names
};

static ROWS: [Row<Exercises>; 1] = [Row::gauge(
    "exercise_running",
    "1 while it runs.",
    &[Label::new("context", &NAMES)],
    |exercises, [context, ..]| exercises.running(Context::ALL[context]).into(),
)];

impl Exercises {
    /// Has reports show which exercises run. Task context only, may sleep.
    pub(crate) fn register(self: &Arc<Self>) -> Result<Registration> {
        Registration::new(&[&ROWS], None, self.clone())
    }

    /// Makes the exercises and starts those that the plans, in the order of [`Context::ALL`], say.
    /// May sleep.
    pub(crate) fn new(
        cx: &context::Task,
        stats: Arc<Stats>,
        pool: Arc<RegisteredPool>,
        plans: [Plan; 4],
    ) -> Result<Arc<Self>> {
        let [timer_softirq, spinlock, task, hard_irq] = plans;
        let (recorded_in, taken_from) = (stats.clone(), pool.clone());
        let means = move |settings| Resources {
            settings,
            stats: recorded_in.clone(),
            pool: taken_from.clone(),
        };
        let starts = [
            timer_softirq.start,
            spinlock.start,
            task.start,
            hard_irq.start,
        ];

        let exercises = Arc::pin_init(
            try_pin_init!(Self {
                timer_softirq <- Control::new(means(timer_softirq.settings)),
                spinlock <- Control::new(means(spinlock.settings)),
                task <- Control::new(means(task.settings)),
                hard_irq <- Control::new(means(hard_irq.settings)),
                _leak_check: LeakCheck(stats.clone()),
                pool,
                stats,
            }? Error),
            GFP_KERNEL,
        )?;

        for (context, start) in Context::ALL.into_iter().zip(starts) {
            if start {
                exercises.set_running(cx, context, true)?;
            }
        }
        Ok(exercises)
    }

    /// The statistics.
    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The pool that exercises take pages from.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The settings of an exercise.
    pub(crate) fn settings(&self, context: Context) -> &Settings {
        match context {
            Context::TimerSoftirq => self.timer_softirq.settings(),
            Context::Spinlock => self.spinlock.settings(),
            Context::Task => self.task.settings(),
            Context::HardIrq => self.hard_irq.settings(),
        }
    }

    /// Whether an exercise runs.
    pub(crate) fn running(&self, context: Context) -> bool {
        match context {
            Context::TimerSoftirq => self.timer_softirq.running(),
            Context::Spinlock => self.spinlock.running(),
            Context::Task => self.task.running(),
            Context::HardIrq => self.hard_irq.running(),
        }
    }

    /// Starts or stops an exercise. Sleeps.
    ///
    /// When it has stopped, all its pages are freed.
    pub(crate) fn set_running(&self, cx: &context::Task, context: Context, run: bool) -> Result {
        match context {
            Context::TimerSoftirq => self.timer_softirq.set_running(cx, run),
            Context::Spinlock => self.spinlock.set_running(cx, run),
            Context::Task => self.task.set_running(cx, run),
            Context::HardIrq => self.hard_irq.set_running(cx, run),
        }
    }
}
