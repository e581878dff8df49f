// SPDX-License-Identifier: GPL-2.0

//! The control files.

use crate::exercise::{
    self,
    exercises,
    settings,
    Exercises,
    Setting, //
};
use kernel::{
    c_str,
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
        Registry, //
    }, //
};

/// Makes the folders of all exercises.
macro_rules! folders {
    ($top:ident $($name:ident: $_type:ident, $_start:tt;)*) => {
        #[allow(non_camel_case_types, reason = "named as in the table")]
        enum Number {
            $($name),*
        }
        let folder = $top.dir(c"exercise");
        $(folder_of::<{ Number::$name as usize }>(&folder);)*
    };
}

/// Makes the files of all settings of an exercise.
macro_rules! files {
    ([$($setting:ident: $variant:ident $_bounds:tt = $_default:tt, $_text:tt;)*] $dir:ident) => {
        $($dir.read_write::<Tune<EXERCISE, { Setting::$variant as usize }>>(
            c_str!(stringify!($setting)),
        );)*
    };
}

/// Makes the files.
pub(super) fn create(top: &Dir<'_, Exercises>) {
    top.write_only::<Reset>(c"reset");
    top.read_write::<Recording>(c"recording");
    top.read_write::<Sentinel>(c"sentinel");

    let pool = top.dir(c"pool");
    pool.write_only::<Prime>(c"prime");
    pool.read_write::<EmergencyBudget>(c"emergency_budget");

    exercises!(folders top);
}

fn folder_of<const EXERCISE: usize>(folder: &Dir<'_, Exercises>) {
    let dir = folder.dir(exercise::ALL[EXERCISE].folder);
    dir.read_write::<Run<EXERCISE>>(c"run");
    settings!(files dir);
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
    fn store(_cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        if parse_switch(text)? {
            Registry::current()?.reset(exercises.own_module())
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
    fn store(_cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        let policy = sentinel::Policy::from_number(parse_u64(text)?)?;
        sentinel::set_policy(exercises.own_module(), policy);
        Ok(())
    }
}

/// The file `pool/prime`: fills the pool's reserve, and each cache up to this many pages.
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
struct Run<const EXERCISE: usize>;

impl<const EXERCISE: usize> Show<Exercises> for Run<EXERCISE> {
    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let running = exercises.get(EXERCISE).running();
        seq_print!(out, "{}\n", u8::from(running));
        Ok(())
    }
}

impl<const EXERCISE: usize> Store<Exercises> for Run<EXERCISE> {
    fn store(cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        exercises.get(EXERCISE).set_running(cx, parse_switch(text)?)
    }
}

/// The file of one setting of one exercise.
struct Tune<const EXERCISE: usize, const SETTING: usize>;

impl<const EXERCISE: usize, const SETTING: usize> Show<Exercises> for Tune<EXERCISE, SETTING> {
    fn show(exercises: &Exercises, out: &SeqFile) -> Result {
        let settings = exercises.get(EXERCISE).settings();
        seq_print!(out, "{}\n", settings.get(Setting::ALL[SETTING]));
        Ok(())
    }
}

impl<const EXERCISE: usize, const SETTING: usize> Store<Exercises> for Tune<EXERCISE, SETTING> {
    fn store(_cx: &Task, exercises: &Exercises, text: &CStr) -> Result {
        let value = parse_u64(text)?;
        exercises
            .get(EXERCISE)
            .settings()
            .set(Setting::ALL[SETTING], value)
    }
}
