// SPDX-License-Identifier: GPL-2.0

//! `wall/`: the files of `make wall`, for the program that runs the experiment.
//!
//! Every line of a report is a list of `key=value`, in pages and nanoseconds.

use super::{
    experiment::{
        Experiment,
        Name, //
    },
    record::Record, //
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
    mm::Memory, //
};

/// Makes the files.
pub(crate) fn create(top: &Dir<'_, Experiment>) {
    let wall = top.dir(c"wall");

    wall.read_write::<Prepare>(c"prepare");
    wall.write_only::<Burst>(c"burst");
    wall.write_only::<Hold>(c"hold");
    wall.write_only::<Release>(c"release");
    wall.read_only::<Results>(c"results");
    wall.read_only::<State>(c"memory");

    let sized = wall.dir(c"sized");
    sized.read_write::<HalfLife>(c"half_life_ms");
    sized.read_write::<Bound>(c"bound");
    sized.write_only::<SizedBurst>(c"burst");
    sized.read_only::<SizedState>(c"state");
}

/// The file `prepare`: the number of pages in a burst; 0 frees all memory.
struct Prepare;

impl Show<Experiment> for Prepare {
    fn show(experiment: &Experiment, out: &SeqFile) -> Result {
        seq_print!(out, "{}\n", experiment.pages());
        Ok(())
    }
}

impl Store<Experiment> for Prepare {
    fn store(cx: &Task, experiment: &Experiment, text: &CStr) -> Result {
        experiment.prepare(cx, parse_u64(text)?)
    }
}

/// Parses the name of a contestant. Fails with `EINVAL` if there is none of that name.
fn parse_name(text: &CStr) -> Result<Name> {
    let text = text.to_bytes();
    let text = text.strip_suffix(b"\n").unwrap_or(text);

    Name::ALL
        .into_iter()
        .find(|name| name.text().as_bytes() == text)
        .ok_or(EINVAL)
}

/// The file `burst`: the name of a contestant runs its burst. The write returns after the burst.
struct Burst;

impl Store<Experiment> for Burst {
    fn store(cx: &Task, experiment: &Experiment, text: &CStr) -> Result {
        experiment.burst(cx, parse_name(text)?)
    }
}

/// The file `hold`: the contestant takes an eighth of a burst and keeps it.
struct Hold;

impl Store<Experiment> for Hold {
    fn store(cx: &Task, experiment: &Experiment, text: &CStr) -> Result {
        experiment.hold(cx, parse_name(text)?)
    }
}

/// The file `release`: the contestant gives back what it holds.
struct Release;

impl Store<Experiment> for Release {
    fn store(cx: &Task, experiment: &Experiment, text: &CStr) -> Result {
        experiment.release(cx, parse_name(text)?)
    }
}

/// The file `results`: a line for each contestant, with all its bursts and its last one.
struct Results;

impl Show<Experiment> for Results {
    fn show(experiment: &Experiment, out: &SeqFile) -> Result {
        for name in Name::ALL {
            seq_print!(out, "name={} context={}", name.text(), name.context());
            experiment.with_record(name, |record| show_record(out, record))?;
            seq_print!(out, "\n");
        }
        Ok(())
    }
}

fn show_record(out: &SeqFile, record: &Record) {
    seq_print!(
        out,
        " bursts={} asked={} dropped={} emergency={} reserve={} not_recovered={} \
         longest_recovery_ns={}",
        record.bursts,
        record.asked,
        record.dropped,
        record.emergency,
        record.reserve,
        record.not_recovered,
        record.longest_recovery
    );
    for (what, latencies) in [("served", &record.served), ("failed", &record.failed)] {
        seq_print!(
            out,
            " {what}_p50_ns={} {what}_p99_ns={} {what}_max_ns={}",
            latencies.percentile(5_000),
            latencies.percentile(9_900),
            latencies.max()
        );
    }
    if let Some(last) = &record.last {
        seq_print!(
            out,
            " last_asked={} last_dropped={} last_emergency={} last_ns={} last_free_before={} \
             last_cpu_lists_before={} last_shortfall_before={} last_free_after={} last_cpu_lists_after={} \
             last_shortfall_after={}",
            last.asked,
            last.dropped,
            last.emergency,
            last.nanos,
            last.before.free,
            last.before.on_cpu_lists,
            last.before.shortfall,
            last.after.free,
            last.after.on_cpu_lists,
            last.after.shortfall
        );
        if let Some(nanos) = last.recovered {
            seq_print!(out, " last_recovery_ns={nanos}");
        }
    }
}

/// The file `memory`: free memory, and the watermarks.
struct State;

impl Show<Experiment> for State {
    fn show(_: &Experiment, out: &SeqFile) -> Result {
        let now = Memory::now();

        seq_print!(
            out,
            "free={} cpu_lists={} protected={} shortfall={} min={} low={} high={}\n",
            now.free,
            now.on_cpu_lists,
            now.protected,
            now.shortfall,
            now.min,
            now.low,
            now.high
        );
        Ok(())
    }
}

/// The file `sized/half_life_ms`: the half-life of the reserve of pools that are made later.
struct HalfLife;

impl Show<Experiment> for HalfLife {
    fn show(experiment: &Experiment, out: &SeqFile) -> Result {
        seq_print!(out, "{}\n", experiment.sized().half_life_ms());
        Ok(())
    }
}

impl Store<Experiment> for HalfLife {
    fn store(_cx: &Task, experiment: &Experiment, text: &CStr) -> Result {
        experiment.sized().set_half_life_ms(parse_u64(text)?)
    }
}

/// The file `sized/bound`: a number of pages makes a pool whose reserve sizes itself up to this
/// bound; 0 removes the pool.
struct Bound;

impl Show<Experiment> for Bound {
    fn show(experiment: &Experiment, out: &SeqFile) -> Result {
        seq_print!(out, "{}\n", experiment.sized().bound());
        Ok(())
    }
}

impl Store<Experiment> for Bound {
    fn store(cx: &Task, experiment: &Experiment, text: &CStr) -> Result {
        experiment.sized().set_bound(cx, parse_u64(text)?)
    }
}

/// The file `sized/burst`: a number of pages runs a burst of that many requests. The write returns
/// after the burst, and does not wait for a refill.
struct SizedBurst;

impl Store<Experiment> for SizedBurst {
    fn store(cx: &Task, experiment: &Experiment, text: &CStr) -> Result {
        experiment.sized().burst(cx, parse_u64(text)?)
    }
}

/// The file `sized/state`: a line about the reserve now, and about the bursts of its pool.
struct SizedState;

impl Show<Experiment> for SizedState {
    fn show(experiment: &Experiment, out: &SeqFile) -> Result {
        let now = experiment.sized().now()?;
        seq_print!(out, "name=sized context=timer_softirq level={}", now.level);
        seq_print!(out, " target={}", now.target);
        experiment
            .sized()
            .with_record(|record| show_record(out, record))?;
        seq_print!(out, "\n");
        Ok(())
    }
}
