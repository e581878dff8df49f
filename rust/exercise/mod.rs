// SPDX-License-Identifier: GPL-2.0

//! Exercises: each allocates pages in one context, all in safe Rust.
//!
//! An exercise works in cycles: allocate a batch, write to every page, hold the batch for a while,
//! verify every page, free the batch, wait for the rest of the period. It works on every CPU that
//! is online.
//!
//! # Adding an exercise
//!
//! Write `rust/exercise/NAME.rs` with a type that implements [`Workload`], and add its row to
//! [`exercises!`]. The module parameters, the files in debugfs and the rows of all reports follow
//! from the row.

#![forbid(unsafe_code)]

/// Hands the table of exercises to the macro `$then`, after `$arguments`, in the order of reports.
///
/// A row has the name of the exercise, which is the name of its file, too; the type in that file
/// that implements [`Workload`]; and the description of the module parameter that starts it. All
/// three are literal, because `module!` needs them so.
macro_rules! exercises {
    ($then:ident $($arguments:tt)*) => {
        $then! {
            $($arguments)*
            timer_softirq: TimerSoftirq, "start the exercise in the timer softirq (0 or 1)";
            spinlock: Spinlock, "start the exercise under a spinlock (0 or 1)";
            task: Task, "start the exercise in task context (0 or 1)";
            hard_irq: HardIrq, "start the exercise in hard interrupts (0 or 1)";
        }
    };
}
pub(crate) use exercises;

mod control;
mod in_flight;
#[cfg(CONFIG_KUNIT = "y")]
mod kunit;
mod pace;
mod pattern;
mod settings;
mod side;

pub(crate) use control::Exercise;
use control::{
    Control,
    Resources,
    Workload, //
};
pub(crate) use settings::{
    settings,
    Setting,
    Settings, //
};

use kernel::{
    c_str,
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    context::Task,
    pool::{
        Pool,
        RegisteredPool, //
    },
    stats::{
        self,
        Kind,
        Label,
        LeakCheck,
        Recording,
        Registration,
        Stats, //
    },
    unload::OwnModule,
    Transfer, //
};

/// A row of the table of exercises.
pub(crate) struct Row {
    /// The name in reports and module parameters.
    pub(crate) name: &'static str,
    /// The name of its folder in debugfs.
    pub(crate) folder: &'static CStr,
    /// The name of its threads.
    title: &'static CStr,
    /// The names of the allocation flags that it uses. Each has a series of its own.
    flags: &'static [&'static str],
    /// Makes it. Task context, may sleep.
    make: fn(Resources) -> Result<Arc<dyn Exercise>>,
}

/// Makes the modules and the rows of the exercises.
macro_rules! table {
    ($($name:ident: $type:ident, $_start:tt;)*) => {
        $(mod $name;)*

        /// The exercises, in the order of reports.
        pub(crate) static ALL: [Row; COUNT] = [$(Row {
            name: stringify!($name),
            folder: c_str!(stringify!($name)),
            title: c_str!(concat!("labyrinth/", stringify!($name))),
            flags: $name::$type::FLAGS,
            make: make::<$name::$type>,
        }),*];

        /// Their names.
        const NAMES: [&str; COUNT] = [$(stringify!($name)),*];

        /// How many there are.
        pub(crate) const COUNT: usize = [$(stringify!($name)),*].len();

        /// How many series they have.
        const SERIES: usize = 0 $(+ $name::$type::FLAGS.len())*;
    };
}
exercises!(table);

fn make<W: Workload>(resources: Resources) -> Result<Arc<dyn Exercise>> {
    Ok(Arc::pin_init(Control::<W>::new(resources), GFP_KERNEL)?)
}

/// The series of all exercises: one for each flag of each row.
static KINDS: [Kind; SERIES] = {
    const NONE: Kind = Kind {
        context: "",
        gfp: "",
    };
    let mut kinds = [NONE; SERIES];
    let (mut number, mut row) = (0, 0);
    while row < COUNT {
        let flags = ALL[row].flags;
        let mut flag = 0;
        while flag < flags.len() {
            kinds[number] = Kind {
                context: NAMES[row],
                gfp: flags[flag],
            };
            number += 1;
            flag += 1;
        }
        row += 1;
    }
    kinds
};

/// Makes the statistics of all exercises. Task context only, may sleep.
pub(crate) fn statistics(recording: Recording) -> Result<Arc<Stats>> {
    Stats::new(recording, &KINDS, Transfer::KINDS)
}

/// The module parameters of one exercise.
pub(crate) struct Plan {
    /// Whether it starts when the module is loaded.
    pub(crate) start: bool,
    /// Its settings at that time.
    pub(crate) settings: Settings,
}

/// All exercises.
///
/// The order of the fields matters: the exercises stop, then the leak check runs.
pub(crate) struct Exercises {
    exercises: KVec<Arc<dyn Exercise>>,
    _leak_check: LeakCheck,
    pool: Arc<RegisteredPool>,
    stats: Arc<Stats>,
    own_module: OwnModule,
}

static RUNNING: [stats::Row<Exercises>; 1] = [stats::Row::gauge(
    "exercise_running",
    "1 while it runs.",
    &[Label::new("context", &NAMES)],
    |exercises, [number, ..]| exercises.get(number).running().into(),
)];

impl Exercises {
    /// Makes reports show which exercises run. Task context only, may sleep.
    pub(crate) fn register(self: &Arc<Self>) -> Result<Registration> {
        Registration::new(&[&RUNNING], None, self.clone())
    }

    /// Makes the exercises, and starts those whose plan says so. The plans are in the order of
    /// [`ALL`]. May sleep.
    pub(crate) fn new(
        cx: &Task,
        own_module: OwnModule,
        stats: Arc<Stats>,
        pool: Arc<RegisteredPool>,
        plans: [Plan; COUNT],
    ) -> Result<Arc<Self>> {
        let starts = plans.each_ref().map(|plan| plan.start);
        let mut exercises = KVec::with_capacity(COUNT, GFP_KERNEL)?;
        for (row, plan) in ALL.iter().zip(plans) {
            let resources = Resources {
                row,
                settings: plan.settings,
                stats: stats.clone(),
                pool: pool.clone(),
            };
            exercises.push((row.make)(resources)?, GFP_KERNEL)?;
        }
        let all = Arc::new(
            Self {
                exercises,
                _leak_check: LeakCheck(stats.clone()),
                own_module,
                pool,
                stats,
            },
            GFP_KERNEL,
        )?;

        for (exercise, start) in all.exercises.iter().zip(starts) {
            if start {
                exercise.set_running(cx, true)?;
            }
        }
        Ok(all)
    }

    /// The proof that this is labyrinth's own module.
    pub(crate) fn own_module(&self) -> OwnModule {
        self.own_module
    }

    /// The statistics.
    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The pool that exercises take pages from.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The exercise of a row of [`ALL`], by the number of the row.
    pub(crate) fn get(&self, number: usize) -> &dyn Exercise {
        &*self.exercises[number]
    }

    /// Whether the exercise with this name runs.
    pub(crate) fn running(&self, name: &str) -> bool {
        ALL.iter()
            .zip(&self.exercises)
            .any(|(row, exercise)| row.name == name && exercise.running())
    }
}
