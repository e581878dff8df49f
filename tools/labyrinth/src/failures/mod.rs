// SPDX-License-Identifier: GPL-2.0

//! `labyrinth failures`: each failed page allocation of the whole machine.

pub mod context;
mod count;
pub mod cpus;
mod document;
pub mod flags;
mod injected;
mod live;
mod log;
pub mod overview;
pub mod probe;
pub mod problem;
mod report;
mod resolver;
mod session;
mod start;
pub mod symbols;
pub mod tally;
pub mod tracefs;
pub mod watch;

pub use count::Count;

use crate::{
    exit::{Problem, Verdict},
    json, stdout, terminal, units,
};
use clap::ValueEnum;
use live::Mode;
use std::{path::Path, time::Duration};
use tally::By;

/// Which source is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// The kprobe if it works, else the tracepoint
    Auto,
    /// A kprobe on warn_alloc
    Kprobe,
    /// The tracepoint kmem:mm_page_alloc
    Tracepoint,
}

/// Whether injected failures are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Injected {
    /// If the kernel can inject failures
    Auto,
    /// Never
    Never,
}

/// The options of `labyrinth failures`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example: run a test for a minute, and fail if any page allocation failed meanwhile:

  labyrinth failures --duration 60 --fail-above 0 --stacks")]
pub struct Args {
    /// Where to look for failures
    ///
    /// A kprobe on warn_alloc costs nothing while requests succeed. It does not see
    /// alloc_pages_nolock(), nor charges that a memory cgroup refuses. The tracepoint sees these,
    /// too, but its filter takes some time in each allocation of the machine. The output says which
    /// was used, and what it cannot see.
    #[arg(long, value_enum, default_value = "auto")]
    source: Choice,

    /// Whether to count failures that fail_page_alloc injects
    ///
    /// Such requests fail before the allocator tries, and neither source sees them. A kernel with
    /// fault injection and kprobes gets a third probe, on should_fail_alloc_page, which takes some
    /// time in each allocation. On a kernel without kprobes, only their number is known, and only
    /// if there is a limit in /sys/kernel/debug/fail_page_alloc/times.
    #[arg(long, value_enum, default_value = "auto")]
    injected: Injected,

    /// How long to count, such as 90s, 5m or 2h; without it, until ctrl-C or SIGTERM
    ///
    /// A number without a unit means seconds.
    #[arg(short, long, value_name = "TIME", value_parser = units::parse_duration)]
    duration: Option<Duration>,

    /// What the summary sums up by
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "caller,context,order,flags"
    )]
    by: Vec<By>,

    /// Print a line for each failure, instead of at most ten a second
    #[arg(long)]
    each: bool,

    /// Print no lines before the summary
    #[arg(short, long, conflicts_with = "each")]
    quiet: bool,

    /// Tell apart failures with different stacks, and print the stacks
    #[arg(long)]
    stacks: bool,

    /// Exit with status 1 if there are more failures than this
    #[arg(long, value_name = "N")]
    fail_above: Option<u64>,

    /// Print the summary as JSON, and with --each, each failure as a line of JSON before it
    #[arg(long)]
    json: bool,
}

/// Counts failures until the end, and prints them.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let mode = match (args.json, args.each) {
        (true, true) => Mode::Json,
        (true, false) => Mode::Quiet,
        _ if args.quiet => Mode::Quiet,
        (false, true) => Mode::Each,
        (false, false) => Mode::Limited,
    };
    let summary = session::run(args, mode, Path::new("/"))?;

    if args.json {
        stdout::reached(json::print(&summary, args.each))?;
    } else {
        stdout::print(&report::text(&summary, terminal::colours()))?;
    }
    Ok(if summary.crossed {
        Verdict::Crossed
    } else {
        Verdict::Fine
    })
}

/// Returns whether the kernel can inject failures.
pub fn injection(root: &Path) -> bool {
    injected::possible(root)
}

/// Returns the first CPU that is online.
pub fn first_cpu(root: &Path) -> u32 {
    cpus::online(root)
        .ok()
        .and_then(|cpus| cpus.first().copied())
        .unwrap_or(0)
}
