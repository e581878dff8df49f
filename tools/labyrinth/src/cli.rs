// SPDX-License-Identifier: GPL-2.0

//! The command line. Each subcommand declares its own options, beside its code.

use crate::{
    compare, doctor, exit::Verdict, explain, failures, headroom, manual, report, run, squeeze, top,
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;

const ABOUT: &str = "\
Most commands need neither the module labyrinth nor Rust in the kernel. doctor says what works here.

Exit status:
  0  fine
  1  a threshold was crossed
  2  wrong usage
  3  the command cannot run here

Examples: look around; find out why a request failed; which callers' requests fail within a minute:

  labyrinth doctor
  dmesg | labyrinth explain
  labyrinth failures --duration 60";

/// Tells why atomic page allocations fail on this machine, and how far it is from failures.
#[derive(Debug, Parser)]
#[command(
    name = "labyrinth",
    version,
    after_help = "Exit status: 0 fine, 1 a threshold was crossed, 2 wrong usage, 3 cannot run here.",
    after_long_help = ABOUT
)]
pub struct Cli {
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compares repeated runs of two kernels or of two settings
    Compare(compare::Args),
    /// Tells what works on this machine, and what helps if something does not
    Doctor(doctor::Args),
    /// Says why the requests failed that a kernel log reports
    Explain(explain::Args),
    /// Counts failed page allocations of the whole machine, by caller and context
    Failures(failures::Args),
    /// Says how many pages a burst of atomic requests can still get
    Headroom(headroom::Args),
    /// Makes a page with plots from runs
    Report(report::Args),
    /// Runs exercises of the module, and judges their failures and latencies
    Run(run::Args),
    /// Holds free memory, so that atomic requests fail
    Squeeze(squeeze::Args),
    /// Shows headroom, failures, exercises and pools live
    Top(top::Args),
    /// Writes manual pages and completions into a folder
    #[command(hide = true)]
    Manual(manual::Args),
}

impl Command {
    /// Runs the subcommand.
    pub fn run(self) -> anyhow::Result<Verdict> {
        match self {
            Self::Compare(args) => compare::run(&args),
            Self::Doctor(args) => doctor::run(&args),
            Self::Explain(args) => explain::run(&args),
            Self::Failures(args) => failures::run(&args),
            Self::Headroom(args) => headroom::run(&args),
            Self::Report(args) => report::run(&args),
            Self::Run(args) => run::run(&args),
            Self::Squeeze(args) => squeeze::run(&args),
            Self::Top(args) => top::run(&args),
            Self::Manual(args) => manual::run(&args),
        }
    }
}

/// The exit statuses of the subcommands: the meaning of 0, and that of 1 if it can occur.
const STATUSES: [(&str, &str, Option<&str>); 9] = [
    (
        "compare",
        "B is worse in no metric",
        Some("B is worse in a metric"),
    ),
    (
        "doctor",
        "everything works that needs no module",
        Some("some of it does not work"),
    ),
    (
        "explain",
        "the logs were read",
        Some("they have a report, and --fail-if-found is given"),
    ),
    (
        "failures",
        "failures were counted",
        Some("there were more than --fail-above"),
    ),
    (
        "headroom",
        "the headroom is known",
        Some("it was less than --fail-below"),
    ),
    ("report", "the page or the plot was written", None),
    (
        "run",
        "no bound was crossed",
        Some("a bound of --fail-above or --fail-if-failures was crossed"),
    ),
    (
        "squeeze",
        "all pages were given back",
        Some("the command failed"),
    ),
    ("top", "top has ended", None),
];

/// Returns the command line with all its help.
pub fn command() -> clap::Command {
    let mut command = Cli::command();

    for (name, fine, crossed) in STATUSES {
        command = command.mut_subcommand(name, |subcommand| {
            let crossed = crossed.map_or(String::new(), |text| format!("\n  1  {text}"));
            let help = subcommand.get_after_long_help().map(ToString::to_string);
            subcommand.after_long_help(format!(
                "{}\n\nExit status:\n  0  {fine}{crossed}\n  2  wrong usage\n  3  it cannot run here",
                help.unwrap_or_default()
            ))
        });
    }
    command
}

/// Parses a command line, whose first argument is the name of the tool.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(args)?;

    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

#[cfg(test)]
mod tests {
    use super::{command, Cli};
    use clap::Parser;

    #[test]
    fn each_help_has_examples_and_statuses() {
        for subcommand in command().get_subcommands().filter(|one| !one.is_hide_set()) {
            let name = subcommand.get_name();
            let help = format!("\n\n{}", subcommand.get_after_long_help().unwrap());

            assert!(help.contains("\n\nExit status:\n  0  "), "{name}");
            let (_, examples) = help.split_once("\n\nExample").expect(name);
            assert!(examples.contains(&format!("labyrinth {name}")), "{name}");
            for line in help.lines() {
                // Longer lines are wrapped, except for those of examples.
                assert!(
                    line.len() <= 100 || !line.starts_with(' '),
                    "{name}: {line}"
                );
            }
        }
    }

    #[test]
    fn all_durations_are_written_alike() {
        let commands = [
            "failures",
            "headroom --watch",
            "headroom --bursts",
            "run",
            "squeeze --headroom 0",
            "top",
        ];

        for command in commands {
            for (time, taken) in [("60", true), ("1m", true), ("1 min", false), ("-1", false)] {
                let words = command.split(' ').chain(["--duration", time]);
                let parsed = Cli::try_parse_from(["labyrinth"].into_iter().chain(words));
                assert_eq!(parsed.is_ok(), taken, "{command} --duration {time}");
            }
        }
    }
}
