// SPDX-License-Identifier: GPL-2.0

//! The options of `labyrinth run`.

use super::{
    output::Format,
    threshold::{failures, Offence, Threshold},
    Setting,
};
use crate::{
    exit::Problem,
    module::{series::Series, Module},
    tracing::Instance,
    units,
};
use std::{path::Path, process::Command, time::Duration};

/// The options of `labyrinth run`. Their names are those of rtla where it has such an option.
#[derive(Debug, clap::Args)]
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
    #[arg(short, long, value_name = "EVENT", default_value = "labyrinth")]
    event: Vec<String>,
    /// Output formats
    #[command(flatten)]
    format: Formats,
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
                eprintln!("labyrinth: the trace is in {file}");
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
        eprintln!("labyrinth: warning: an action at the threshold ended with {status}");
    }
    Ok(())
}

impl Args {
    /// Returns the exercises to run.
    pub(super) fn contexts(&self, module: &Module) -> anyhow::Result<Vec<String>> {
        if self
            .on_threshold
            .iter()
            .rev()
            .skip(1)
            .any(|action| *action == Action::Continue)
        {
            return Err(Problem::usage(
                "an action comes after 'continue'",
                "put --on-threshold continue last",
            )
            .into());
        }
        if self.context.is_empty() {
            return module.folders("exercise");
        }
        Ok(self.context.clone())
    }

    /// Returns the settings of the exercises.
    pub(super) fn settings(&self) -> Vec<Setting> {
        [
            ("period_us", self.period),
            ("batch", self.batch),
            ("hold_us", self.hold),
            ("pool", self.pool.into()),
        ]
        .map(|(name, value)| Setting { name, value })
        .into()
    }

    /// Returns whether the run ends at the first offence.
    pub(super) fn stops_at_first(&self) -> bool {
        let watched = self.fail_if_failures || !self.fail_above.is_empty();

        watched && self.on_threshold.last() != Some(&Action::Continue)
    }

    /// Starts a trace, if an action is to save one.
    pub(super) fn trace(&self) -> anyhow::Result<Option<Instance>> {
        let wanted = |action: &Action| matches!(action, Action::Trace(_));

        if !self.on_threshold.iter().any(wanted) {
            return Ok(None);
        }
        Instance::new(Path::new("/sys/kernel/tracing"), &self.event).map(Some)
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

    /// Carries out the actions.
    pub(super) fn react(
        &self,
        offences: &[Offence],
        trace: Option<&Instance>,
    ) -> anyhow::Result<()> {
        for offence in offences {
            eprintln!(
                "labyrinth: {} {}: {}",
                offence.context, offence.gfp, offence.what
            );
        }
        self.on_threshold
            .iter()
            .try_for_each(|action| action.carry_out(trace))
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
    use super::Action;

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
