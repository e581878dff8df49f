// SPDX-License-Identifier: GPL-2.0

//! The command line. Each subcommand declares its own options, beside its code.

use crate::{
    compare, doctor, exit::Verdict, explain, failures, headroom, manual, report, run, squeeze, top,
};
use clap::{Parser, Subcommand};

/// Tells why atomic page allocations fail on this machine, and how far it is from failures.
#[derive(Debug, Parser)]
#[command(
    name = "labyrinth",
    version,
    after_help = "Exit status: 0 fine, 1 a threshold was crossed, 2 wrong usage, 3 cannot run here."
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

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::Parser;

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
