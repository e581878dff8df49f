// SPDX-License-Identifier: GPL-2.0

//! The files that change something.

use crate::exercise::{
    Exercises,
    Setting, //
};
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};
use labyrinth::{
    context::Task,
    debugfs::{
        parse_u64,
        Dir,
        Show,
        Store, //
    },
    sentinel,
    stats::{
        self,
        Context,
        Registry, //
    }, //
};

/// Makes the files.
pub(super) fn create(top: &Dir<'_, Exercises>) {
    top.write_only::<Reset>(c"reset");
    top.read_write::<Recording>(c"recording");
    top.read_write::<Sentinel>(c"sentinel");

    let pool = top.dir(c"pool");
    pool.write_only::<Prime>(c"prime");
    pool.read_write::<EmergencyBudget>(c"emergency_budget");

    let exercise = top.dir(c"exercise");
    create_exercise::<{ Context::TimerSoftirq as usize }>(&exercise.dir(c"timer_softirq"));
    create_exercise::<{ Context::Spinlock as usize }>(&exercise.dir(c"spinlock"));
    create_exercise::<{ Context::Task as usize }>(&exercise.dir(c"task"));
    create_exercise::<{ Context::HardIrq as usize }>(&exercise.dir(c"hard_irq"));
}

fn create_exercise<const CONTEXT: usize>(dir: &Dir<'_, Exercises>) {
    dir.read_write::<Run<CONTEXT>>(c"run");
    dir.read_write::<Tune<CONTEXT, { Setting::PeriodUs as usize }>>(c"period_us");
    dir.read_write::<Tune<CONTEXT, { Setting::Batch as usize }>>(c"batch");
    dir.read_write::<Tune<CONTEXT, { Setting::HoldUs as usize }>>(c"hold_us");
    dir.read_write::<Tune<CONTEXT, { Setting::Pool as usize }>>(c"pool");
    dir.read_write::<Tune<CONTEXT, { Setting::Priority as usize }>>(c"priority");
    dir.read_write::<Tune<CONTEXT, { Setting::Guard as usize }>>(c"guard");
}

/// Parses a number that is 0 or 1.
fn parse_switch(text: &CStr) -> Result<bool> {
    match parse_u64(text)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(ERANGE),
    }
}

/// The file `reset`.
struct Reset;

impl Store<Exercises> for Reset {
    fn store(_cx: &Task, _exercises: &Exercises, text: &CStr) -> Result {
        if parse_switch(text)? {
            Registry::current()?.reset()
        } else {
            Err(ERANGE)
        }
    }
}

/// The file `recording`.
struct Recording;

impl Show<Exercises> for Recording {
    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        seq_print!(out, "{}\n", exercises.stats().recording() as u8);
        Ok(())
    }
}

impl Store<Exercises> for Recording {
    fn store(_cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        let recording = stats::Recording::from_number(parse_u64(text)?)?;
        exercises.stats().set_recording(recording);
        Ok(())
    }
}

/// The file `sentinel`.
struct Sentinel;

impl Show<Exercises> for Sentinel {
    fn show(_exercises: &Exercises, out: &SeqFile) -> Result {
        seq_print!(out, "{}\n", sentinel::policy() as u8);
        Ok(())
    }
}

impl Store<Exercises> for Sentinel {
    fn store(_cx: &Task, _exercises: &Exercises, text: &CStr) -> Result {
        sentinel::set_policy(sentinel::Policy::from_number(parse_u64(text)?)?);
        Ok(())
    }
}

/// The file `pool/prime`: fills the pool's reserve, and the caches up to so many pages each.
struct Prime;

impl Store<Exercises> for Prime {
    fn store(cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        let pages = usize::try_from(parse_u64(text)?).map_err(|_| ERANGE)?;
        let pool = exercises.pool();
        if pages > pool.cache().capacity() {
            return Err(ERANGE);
        }
        pool.prime(cx, pages);
        Ok(())
    }
}

/// The file `pool/emergency_budget`.
struct EmergencyBudget;

impl Show<Exercises> for EmergencyBudget {
    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        seq_print!(out, "{}\n", exercises.pool().emergency().budget());
        Ok(())
    }
}

impl Store<Exercises> for EmergencyBudget {
    fn store(_cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        let budget = u32::try_from(parse_u64(text)?).map_err(|_| ERANGE)?;
        exercises.pool().emergency().set_budget(budget);
        Ok(())
    }
}

/// The file `run` of one exercise.
struct Run<const CONTEXT: usize>;

impl<const CONTEXT: usize> Show<Exercises> for Run<CONTEXT> {
    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let running = exercises.running(Context::ALL[CONTEXT]);
        seq_print!(out, "{}\n", u8::from(running));
        Ok(())
    }
}

impl<const CONTEXT: usize> Store<Exercises> for Run<CONTEXT> {
    fn store(cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        exercises.set_running(cx, Context::ALL[CONTEXT], parse_switch(text)?)
    }
}

/// The file of one setting of one exercise.
struct Tune<const CONTEXT: usize, const SETTING: usize>;

impl<const CONTEXT: usize, const SETTING: usize> Show<Exercises> for Tune<CONTEXT, SETTING> {
    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let settings = exercises.settings(Context::ALL[CONTEXT]);
        seq_print!(out, "{}\n", settings.get(Setting::ALL[SETTING]));
        Ok(())
    }
}

impl<const CONTEXT: usize, const SETTING: usize> Store<Exercises> for Tune<CONTEXT, SETTING> {
    fn store(_cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        let value = parse_u64(text)?;
        exercises
            .settings(Context::ALL[CONTEXT])
            .set(Setting::ALL[SETTING], value)
    }
}
