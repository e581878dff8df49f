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
    report,
    runs::{self, Run},
    signals::ENDS,
    tracing::Instance,
};
use samples::{Sample, Sampler};
use schemars::JsonSchema;
use serde::Serialize;
use signal_hook::flag;
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
    args.check()?;
    let module = Module::find(Path::new("/sys"))?;
    let contexts = args.contexts(&module)?;
    let stop = Arc::new(AtomicBool::new(false));

    exercise::check(&module, &contexts)?;
    for signal in ENDS {
        flag::register(signal, Arc::clone(&stop))?;
    }
    let trace = args.trace()?;
    let page = args.page()?;
    let session = Session {
        args,
        borrowed: Borrowed::all(&module)?,
        module: &module,
        contexts,
        trace,
        stop,
    };
    let (crossed, runs) = session.all(page.is_some())?;
    drop(session);
    if let Some(page) = page {
        page.write("the page", &report::page(&runs)?)?;
    }
    Ok(if crossed {
        Verdict::Crossed
    } else {
        Verdict::Fine
    })
}

/// The state that all runs of a command share.
struct Session<'a> {
    args: &'a Args,
    module: &'a Module,
    borrowed: Borrowed<'a>,
    contexts: Vec<String>,
    trace: Option<Instance>,
    stop: Arc<AtomicBool>,
}

impl Session<'_> {
    /// Makes and prints all runs, with the two sides in turn. Returns whether a run crossed a
    /// threshold, and the runs for a page if `wanted`.
    fn all(&self, wanted: bool) -> anyhow::Result<(bool, Vec<Run>)> {
        let sides = self.args.sides();
        let (mut crossed, mut runs) = (false, Vec::new());

        for turn in 1..=self.args.repeat {
            for (name, settings) in &sides {
                let report = self.one(settings, !crossed)?;
                // A run that was cut short cannot be compared with the others.
                if self.stopped() && (turn > 1 || sides.len() > 1) {
                    return Ok((crossed, runs));
                }
                crossed |= !report.offences.is_empty();
                let there = output::print(&report, self.args.format())?;
                if wanted {
                    runs.push(as_read(&report, &self.args.named(name, turn))?);
                }
                // Without a reader, only the page and the verdict count.
                let needed = there || wanted || !crossed && self.args.has_bounds();
                if self.stopped() || !needed || crossed && self.args.stops_at_first() {
                    return Ok((crossed, runs));
                }
            }
        }
        Ok((crossed, runs))
    }

    fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Runs the exercises with these settings. Carries out the actions at an offence if `react`.
    fn one(&self, settings: &[Setting], react: bool) -> anyhow::Result<Report> {
        let (args, module) = (self.args, self.module);

        for name in &self.contexts {
            for setting in settings {
                let value = setting.value.to_string();
                self.borrowed.set(name, setting.name, &value)?;
            }
        }
        // A reset counts the pages that exercises hold as requests without a latency.
        module.write("reset", "1")?;
        for name in &self.contexts {
            self.borrowed.set(name, "run", "1")?;
        }
        if !args.warm_up.is_zero() {
            wait("warming up", args.warm_up, &self.stop, || Ok(false))?;
            module.write("reset", "1")?;
        }
        let start = Instant::now();
        let mut sampler = Sampler::new(start, args.duration);
        wait("running", args.duration, &self.stop, || {
            sampler.look(module, &self.contexts)?;
            Ok(args.stops_at_first() && !args.offences(&self.measured()?).is_empty())
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let first = args.offences(&self.measured()?);
        if react && !first.is_empty() {
            args.react(&first, self.trace.as_ref());
        }
        for name in &self.contexts {
            self.borrowed.set(name, "run", "0")?;
        }
        // The exercises have ended, so these numbers are final.
        let series = self.measured()?;
        let samples = sampler.finish(module, &series);

        let offences = threshold::all(first, args.offences(&series));
        let uname = rustix::system::uname();
        Ok(Report {
            schema: "labyrinth/run/1",
            kernel: uname.release().to_string_lossy().into_owned(),
            architecture: uname.machine().to_string_lossy().into_owned(),
            preemption: machine::preemption(Path::new("/sys"), &uname.version().to_string_lossy()),
            parameters: machine::parameters(Path::new("/proc")),
            samples,
            cpus: thread::available_parallelism().map_or(0, |cpus| cpus.get() as u64),
            seconds,
            settings: settings.to_vec(),
            series: series.into_iter().map(with_percentiles).collect(),
            verdict: if offences.is_empty() { "pass" } else { "fail" },
            offences,
        })
    }

    /// Returns the numbers of the exercises.
    fn measured(&self) -> anyhow::Result<Vec<Series>> {
        measured(self.module, &self.contexts)
    }
}

/// Returns the run as a reader of the document gets it, so that `run --html` and `report` make the
/// same page.
fn as_read(report: &Report, name: &str) -> anyhow::Result<Run> {
    let mut runs = runs::parse(&serde_json::to_string(report)?, name)?;
    Ok(runs.remove(0))
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
        progress.at(|| {
            let part = start.elapsed().as_secs_f64() / time.as_secs_f64();
            format!("{:.0} % of {} s", 100.0 * part.min(1.0), time.as_secs())
        });
    }
    Ok(())
}
