// SPDX-License-Identifier: GPL-2.0

//! `labyrinth run`: runs exercises of the module, and judges what came of them.

mod args;
mod machine;
mod output;
pub mod samples;
mod threshold;

pub use args::Args;

use crate::{
    exit::Verdict,
    json,
    module::{
        exercise::{self, Borrowed},
        series::{self, Series},
        Module,
    },
    progress::Progress,
};
use samples::{Sample, Sampler};
use schemars::JsonSchema;
use serde::Serialize;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use std::{
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering::Relaxed},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};
use threshold::Offence;

/// How often a run looks at the numbers.
const LOOK: Duration = Duration::from_millis(100);

/// What `--json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// "labyrinth/run/1"
    schema: &'static str,
    /// The release of the kernel.
    kernel: String,
    /// The number of CPUs that are online.
    cpus: u64,
    /// How long the exercises were measured, in seconds.
    seconds: f64,
    /// The settings of the exercises.
    settings: Vec<Setting>,
    /// The processor's architecture.
    architecture: String,
    /// The preemption model, such as "full", if it can be seen.
    preemption: Option<String>,
    /// Parameters of the kernel that matter for latencies.
    parameters: Vec<String>,
    /// The numbers over time, at least a second apart; the last are the final numbers.
    samples: Vec<Sample>,
    /// The numbers of each exercise and its flags.
    series: Vec<Measured>,
    /// The thresholds that were crossed.
    offences: Vec<Offence>,
    /// "pass" or "fail"
    verdict: &'static str,
}

/// A setting of all exercises of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Setting {
    /// The name of its file, such as "period_us".
    name: &'static str,
    /// The value.
    value: u64,
}

/// The numbers of an exercise.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Measured {
    /// The numbers themselves.
    #[serde(flatten)]
    series: Series,
    /// Percentiles of the latency.
    percentiles: Vec<Percentile>,
}

/// A percentile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Percentile {
    /// The share of the requests in percent.
    percent: f64,
    /// The latency in ns that they did not exceed, at most 1/16 too large.
    ns: Option<u64>,
}

/// The percentiles of reports.
const PERCENTILES: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

impl json::Document for Report {
    const NAME: &'static str = "run";
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let module = Module::find(Path::new("/sys"))?;
    let contexts = args.contexts(&module)?;
    let stop = Arc::new(AtomicBool::new(false));

    exercise::check(&module, &contexts)?;
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&stop))?;
    }
    let settings = args.settings();
    let trace = args.trace()?;
    let borrowed = Borrowed::all(&module)?;
    for name in &contexts {
        for setting in &settings {
            borrowed.set(name, setting.name, &setting.value.to_string())?;
        }
        borrowed.set(name, "run", "1")?;
    }
    wait("warming up", args.warm_up, &stop, || Ok(false))?;
    module.write("reset", "1")?;
    let start = Instant::now();
    let end_at_once = args.stops_at_first();
    let mut sampler = Sampler::new(start, args.duration);
    wait("running", args.duration, &stop, || {
        sampler.look(&module, &contexts)?;
        Ok(end_at_once && !args.offences(&measured(&module, &contexts)?).is_empty())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let offences = args.offences(&measured(&module, &contexts)?);
    if !offences.is_empty() {
        args.react(&offences, trace.as_ref())?;
    }
    for name in &contexts {
        borrowed.set(name, "run", "0")?;
    }
    // The exercises have ended, so these are the last numbers.
    let series = measured(&module, &contexts)?;
    let samples = sampler.finish(&module, &series);
    drop(borrowed);

    let offences = if offences.is_empty() {
        args.offences(&series)
    } else {
        offences
    };
    let crossed = !offences.is_empty();
    let uname = rustix::system::uname();
    let report = Report {
        schema: "labyrinth/run/1",
        kernel: uname.release().to_string_lossy().into_owned(),
        architecture: uname.machine().to_string_lossy().into_owned(),
        preemption: machine::preemption(Path::new("/sys"), &uname.version().to_string_lossy()),
        parameters: machine::parameters(Path::new("/proc")),
        samples,
        cpus: thread::available_parallelism().map_or(0, |cpus| cpus.get() as u64),
        seconds,
        settings,
        series: series.into_iter().map(with_percentiles).collect(),
        offences,
        verdict: if crossed { "fail" } else { "pass" },
    };
    output::print(&report, args.format())?;
    Ok(if crossed {
        Verdict::Crossed
    } else {
        Verdict::Fine
    })
}

fn with_percentiles(series: Series) -> Measured {
    let percentiles = PERCENTILES.map(|percent| Percentile {
        percent,
        ns: series.percentile(percent),
    });

    Measured {
        series,
        percentiles: percentiles.into(),
    }
}

/// Returns the numbers of these exercises.
fn measured(module: &Module, contexts: &[String]) -> anyhow::Result<Vec<Series>> {
    let mut all = series::read(module)?;

    all.retain(|series| contexts.contains(&series.context));
    Ok(all)
}

/// Waits until the time is over, a signal comes, or `ended` says so.
fn wait(
    what: &str,
    time: Duration,
    stop: &AtomicBool,
    mut ended: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut progress = Progress::new(what);
    let start = Instant::now();

    while start.elapsed() < time && !stop.load(Relaxed) && !ended()? {
        thread::sleep(LOOK.min(time.saturating_sub(start.elapsed())));
        progress.at(|| format!("of {} s", time.as_secs()));
    }
    Ok(())
}
