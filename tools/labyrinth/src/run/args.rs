// SPDX-License-Identifier: GPL-2.0

//! The options of `labyrinth run`.

use super::{
    output::Format,
    threshold::{failures, Offence, Threshold},
    Setting,
};
use crate::{
    exit::Problem,
    file::Target,
    message::say,
    module::{series::Series, Module},
    tracing::{remove_orphans, Instance},
    units,
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
    time::Duration,
};

const EXAMPLES: &str = "\
A run resets the counters of the exercises at its start, and restores their settings at its end. A
reported percentile is at most 1/16 too large.

Examples: judge the timer softirq for a minute, and trace what led to the first slow request;
measure with and without a pool, for compare; write a page with plots:

  labyrinth run -x timer_softirq -d 1m --fail-above p99.9=50us --on-threshold trace
  labyrinth run --json --repeat 5 --versus pool=1 >runs.json
  labyrinth run --fail-if-failures --html page.html";

/// The options of `labyrinth run`. Their names are those of rtla where it has such an option.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The exercises to run, separated by commas; all if this is missing
    #[arg(
        short = 'x',
        long = "context",
        value_name = "NAME",
        value_delimiter = ','
    )]
    context: Vec<String>,
    /// Length of a cycle in microseconds
    #[arg(short, long, value_name = "US", default_value_t = 10_000)]
    period: u64,
    /// Pages in a batch
    #[arg(short, long, value_name = "PAGES", default_value_t = 16)]
    batch: u64,
    /// How long a batch is held, in microseconds
    #[arg(long, value_name = "US", default_value_t = 0)]
    hold: u64,
    /// Take pages from the pool `default` instead of the page allocator
    #[arg(long)]
    pool: bool,
    /// How long to measure, such as 10s, 5m or 2h
    #[arg(short, long, value_name = "TIME", default_value = "10s", value_parser = units::parse_duration)]
    pub(super) duration: Duration,
    /// How long to run before the numbers count
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = units::parse_duration)]
    pub(super) warm_up: Duration,
    /// How many times to measure; prints a document for each
    #[arg(long, value_name = "TIMES", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) repeat: u64,
    /// Measure in turn without and with another setting, such as pool=1, for `compare
    /// --interleaved`; can be repeated
    #[arg(long, value_name = "SETTING=VALUE")]
    versus: Vec<Versus>,
    /// Fail if a latency is above a bound, such as p99.9=50us or max=1ms; can be repeated
    #[arg(long, value_name = "BOUND", value_parser = Threshold::parse)]
    fail_above: Vec<Threshold>,
    /// Fail if a request failed
    #[arg(long)]
    fail_if_failures: bool,
    /// What to do at the first offence: end the run, save the trace, run a shell command or send a
    /// signal as rtla does; `continue` runs to the end
    #[arg(long, value_name = "ACTION", value_parser = Action::parse, long_help = ACTIONS)]
    on_threshold: Vec<Action>,
    /// An event to record for the action `trace`, as SYSTEM:EVENT or SYSTEM; can be repeated
    ///
    /// Default: labyrinth
    #[arg(short, long, value_name = "EVENT")]
    event: Vec<String>,
    /// Output formats
    #[command(flatten)]
    format: Formats,
    /// Also write an HTML page with plots, like that of `labyrinth report`, into this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

const ACTIONS: &str = "\
What to do at the first offence. Without this option the run ends, and so it does after these:
  trace[,file=FILE]    saves a trace of the events of --event (default: labyrinth_trace.txt)
  shell,command=TEXT   runs a shell command
  signal,num=N,pid=PID sends a signal to a process; pid=parent means the parent of this one
  continue             goes on to the end of the run; must be the last action
The option can be repeated; actions are carried out in order.";

/// The output formats, of which one can be chosen.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Formats {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print CSV, with a line for each exercise and its flags
    #[arg(long)]
    csv: bool,
    /// Print KTAP, with a test for each exercise and its flags
    #[arg(long)]
    ktap: bool,
    /// Print the distribution of latencies in the format of HdrHistogram, in microseconds
    #[arg(long)]
    hgrm: bool,
    /// Print OpenMetrics text
    #[arg(long)]
    openmetrics: bool,
}

/// The events of a trace if none are named.
const EVENT: &str = "labyrinth";

/// The settings that a run changes.
const SETTINGS: [&str; 4] = ["period_us", "batch", "hold_us", "pool"];

/// A setting that differs on the second side.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Versus(Setting);

impl FromStr for Versus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("a setting looks like pool=1 or batch=64")?;
        let name = SETTINGS
            .into_iter()
            .find(|known| *known == name)
            .ok_or_else(|| format!("'{name}' is none of {}", SETTINGS.join(", ")))?;
        let value = value
            .parse()
            .map_err(|_| format!("'{value}' is no number"))?;

        Ok(Self(Setting { name, value }))
    }
}

/// An action at the first offence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Saves the trace of tracefs in a file.
    Trace(String),
    /// Runs a shell command.
    Shell(String),
    /// Sends a signal to a process, or to the parent.
    Signal(i32, Option<i32>),
    /// Goes on.
    Continue,
}

impl Action {
    fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(',').unwrap_or((text, ""));
        match name {
            "continue" if rest.is_empty() => Ok(Self::Continue),
            "trace" if rest.is_empty() => Ok(Self::Trace("labyrinth_trace.txt".into())),
            "trace" => rest
                .strip_prefix("file=")
                .map(|file| Self::Trace(file.into()))
                .ok_or_else(|| format!("'{rest}' is not file=FILE")),
            // A command may have commas in it.
            "shell" => rest
                .strip_prefix("command=")
                .map(|command| Self::Shell(command.into()))
                .ok_or_else(|| "a shell command looks like shell,command=TEXT".into()),
            "signal" => Self::signal(rest),
            _ => Err(format!(
                "'{name}' is none of trace, shell, signal, continue"
            )),
        }
    }

    fn signal(text: &str) -> Result<Self, String> {
        let (mut number, mut pid) = (None, None);

        for part in text.split(',') {
            match part.split_once('=') {
                Some(("num", value)) => number = value.parse().ok(),
                Some(("pid", "parent")) => pid = Some(None),
                Some(("pid", value)) => pid = value.parse().ok().map(Some),
                _ => return Err(format!("'{part}' is neither num=N nor pid=PID")),
            }
        }
        match (number, pid) {
            (Some(number @ 1..=64), Some(pid)) => Ok(Self::Signal(number, pid)),
            _ => Err("a signal looks like signal,num=10,pid=1234".into()),
        }
    }

    fn carry_out(&self, trace: Option<&Instance>) -> anyhow::Result<()> {
        match self {
            Self::Continue => Ok(()),
            Self::Trace(file) => {
                trace.map_or(Ok(()), |trace| trace.save(Path::new(file)))?;
                say!("the trace is in {file}");
                Ok(())
            }
            Self::Shell(command) => run_command(Command::new("sh").args(["-c", command])),
            Self::Signal(number, pid) => {
                let pid = pid.unwrap_or_else(parent).to_string();
                run_command(Command::new("kill").args([&format!("-{number}"), "--", &pid]))
            }
        }
    }
}

fn parent() -> i32 {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get())
}

fn run_command(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;

    if !status.success() {
        say!("warning: an action at the threshold ended with {status}");
    }
    Ok(())
}

impl Args {
    /// Refuses options that do not fit together.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let mut actions = self.on_threshold.iter().rev().skip(1);

        if actions.any(|action| *action == Action::Continue) {
            return Err(Problem::usage(
                "an action comes after 'continue'",
                "put --on-threshold continue last",
            ));
        }
        if !self.has_bounds() && !self.on_threshold.is_empty() {
            return Err(Problem::usage(
                "there is no threshold, so --on-threshold has no effect",
                "add --fail-above or --fail-if-failures, or leave out --on-threshold",
            ));
        }
        if !self.event.is_empty() && !self.saves_trace() {
            return Err(Problem::usage(
                "no action saves a trace, so --event has no effect",
                "add --on-threshold trace, or leave out --event",
            ));
        }
        if (self.repeat > 1 || !self.versus.is_empty()) && self.format() != Format::Json {
            return Err(Problem::usage(
                "several runs can only be printed as JSON",
                "add --json, or leave out --repeat and --versus",
            ));
        }
        if self.duration.is_zero() {
            return Err(Problem::usage(
                "a run of no time has no requests to judge",
                "give --duration a time such as 10s",
            ));
        }
        Ok(())
    }

    /// Returns the exercises to run.
    pub(super) fn contexts(&self, module: &Module) -> anyhow::Result<Vec<String>> {
        if self.context.is_empty() {
            return module.folders("exercise");
        }
        Ok(self.context.clone())
    }

    /// Returns the settings of the exercises for each side. There are two sides with --versus.
    pub(super) fn sides(&self) -> Vec<(&'static str, Vec<Setting>)> {
        let values = [self.period, self.batch, self.hold, self.pool.into()];
        let settings: Vec<Setting> = SETTINGS
            .into_iter()
            .zip(values)
            .map(|(name, value)| Setting { name, value })
            .collect();

        if self.versus.is_empty() {
            return vec![("run", settings)];
        }
        let mut others = settings.clone();
        for Versus(wanted) in &self.versus {
            for setting in others.iter_mut().filter(|one| one.name == wanted.name) {
                setting.value = wanted.value;
            }
        }
        vec![("A", settings), ("B", others)]
    }

    /// Returns the name of a run on a page.
    pub(super) fn named(&self, side: &str, turn: u64) -> String {
        if self.repeat == 1 {
            side.to_owned()
        } else {
            format!("{side} {turn}")
        }
    }

    /// Returns whether there is a threshold.
    pub(super) fn has_bounds(&self) -> bool {
        self.fail_if_failures || !self.fail_above.is_empty()
    }

    /// Returns whether the run ends at the first offence.
    pub(super) fn stops_at_first(&self) -> bool {
        self.has_bounds() && self.on_threshold.last() != Some(&Action::Continue)
    }

    fn saves_trace(&self) -> bool {
        let saves = |action: &Action| matches!(action, Action::Trace(_));

        self.on_threshold.iter().any(saves)
    }

    /// Starts a trace if an action saves one. Removes the traces of killed runs.
    pub(super) fn trace(&self) -> anyhow::Result<Option<Instance>> {
        let tracing = Path::new("/sys/kernel/tracing");

        remove_orphans(tracing);
        if !self.saves_trace() {
            return Ok(None);
        }
        if self.event.is_empty() {
            return Instance::new(tracing, &[EVENT.to_owned()]).map(Some);
        }
        Instance::new(tracing, &self.event).map(Some)
    }

    /// Returns the offences of all series.
    pub(super) fn offences(&self, all: &[Series]) -> Vec<Offence> {
        let mut offences = Vec::new();

        for series in all {
            if self.fail_if_failures {
                offences.extend(failures(series));
            }
            offences.extend(
                self.fail_above
                    .iter()
                    .filter_map(|bound| bound.offence(series)),
            );
        }
        offences
    }

    /// Carries out the actions. If one of them fails, the others and the verdict still count.
    pub(super) fn react(&self, offences: &[Offence], trace: Option<&Instance>) {
        for offence in offences {
            say!("{} {}: {}", offence.context, offence.gfp, offence.what);
        }
        for action in &self.on_threshold {
            if let Err(error) = action.carry_out(trace) {
                say!("error: an action at the threshold failed: {error:#}");
            }
        }
    }

    /// Creates the file of the page, if there is one.
    pub(super) fn page(&self) -> anyhow::Result<Option<Target>> {
        self.html.as_deref().map(Target::create).transpose()
    }

    /// Returns the chosen format.
    pub(super) fn format(&self) -> Format {
        let formats = &self.format;

        if formats.json {
            Format::Json
        } else if formats.csv {
            Format::Csv
        } else if formats.ktap {
            Format::Ktap
        } else if formats.hgrm {
            Format::Hgrm
        } else if formats.openmetrics {
            Format::OpenMetrics
        } else {
            Format::Table
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Args, Setting, Versus};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Line::try_parse_from(line.split_whitespace()).map(|line| line.args)
    }

    #[test]
    fn the_second_side_differs_in_what_is_named() {
        let args = parse("run --json --repeat 3 --batch 8 --versus pool=1 --versus batch=64");
        let args = args.unwrap();
        let sides = args.sides();
        let value = |side: usize, name: &str| {
            let same = |setting: &&Setting| setting.name == name;
            sides[side].1.iter().find(same).unwrap().value
        };
        assert_eq!((sides[0].0, sides[1].0), ("A", "B"));
        assert_eq!((value(0, "pool"), value(1, "pool")), (0, 1));
        assert_eq!((value(0, "batch"), value(1, "batch")), (8, 64));
        assert_eq!(value(0, "period_us"), value(1, "period_us"));
        assert_eq!(args.named("A", 2), "A 2");
        assert_eq!(parse("run --json").unwrap().sides().len(), 1);
        for text in ["pool", "tool=1", "batch=x", "="] {
            assert!(text.parse::<Versus>().is_err(), "{text}");
        }
        assert!(parse("run --json --repeat 0").is_err());
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let check = |line: &str| {
            parse(line)
                .unwrap()
                .check()
                .map_err(|problem| problem.to_string())
        };
        for line in ["run --repeat 2", "run --csv --versus pool=1"] {
            assert!(check(line).unwrap_err().contains("JSON"), "{line}");
        }
        let line = "run --on-threshold continue --on-threshold trace";
        assert!(check(line).unwrap_err().contains("continue"));
        let line = "run --on-threshold trace";
        assert!(check(line).unwrap_err().contains("--on-threshold"));
        let bound = "run --json --repeat 2 --fail-if-failures --on-threshold";
        assert_eq!(check(&format!("{bound} continue")), Ok(()));
        assert_eq!(check(&format!("{bound} trace --event kmem")), Ok(()));
        for line in ["run --event kmem", &format!("{bound} continue -e kmem")] {
            assert!(check(line).unwrap_err().contains("--event"), "{line}");
        }
        assert_eq!(check("run --csv"), Ok(()));
    }

    #[test]
    fn actions_are_those_of_rtla() {
        let trace = Action::parse("trace,file=a,b").unwrap();
        assert_eq!(trace, Action::Trace("a,b".into()));
        let shell = Action::parse("shell,command=echo 1, 2").unwrap();
        assert_eq!(shell, Action::Shell("echo 1, 2".into()));
        let signal = Action::parse("signal,num=10,pid=parent").unwrap();
        assert_eq!(signal, Action::Signal(10, None));
        for text in [
            "",
            "stop",
            "signal",
            "signal,num=0,pid=1",
            "signal,num=9",
            "shell",
            "continue,x",
        ] {
            assert!(Action::parse(text).is_err(), "{text}");
        }
    }
}
