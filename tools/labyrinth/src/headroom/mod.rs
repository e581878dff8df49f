// SPDX-License-Identifier: GPL-2.0

//! `labyrinth headroom`: how many pages a burst of atomic requests can still get.

pub mod blocks;
mod bursts;
pub mod document;
pub mod list;
pub mod look;
pub mod model;
mod show;

use crate::{exit::Verdict, json, message::say, stdout, terminal, units};
use clap::ArgGroup;
use look::{look, look_again, Question};
use model::Gfp;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use std::{
    io,
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering::Relaxed},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};

/// The highest order of the page allocator on all architectures together.
const HIGHEST_ORDER: u32 = 13;

/// How often a wait looks whether it is to end.
const TICK: Duration = Duration::from_millis(50);

/// What must be known to understand the answer.
const LONG_HELP: &str = "\
The answer is for a burst on one CPU that keeps its pages while nobody frees any, as in an
interrupt. It comes from /proc/zoneinfo, by the rules of the page allocator. The kernel does not
show which pages in the list of a CPU are of the right type, nor how many pages the next refill of
this list takes. So there are an estimate and two bounds, which are far apart if the lists are
large in comparison with the headroom. --cpu improves the estimate.

The upper bound includes all pages in the lists of the other CPUs. The kernel can give them back to
the zone during the burst, for example when it shrinks the list of an idle CPU.

Requests of high orders need free blocks that are large enough, too, and they lose by each boost of
the watermarks (vm.watermark_boost_factor). /proc/buddyinfo counts blocks in CMA areas and isolated
blocks, which such requests never get. /proc/pagetypeinfo tells them apart. On kernels up to 6.12 it
also tells what is reserved for atomic requests of high orders. Only root can read it, and --watch
reads it only once, because the kernel counts with interrupts off. The bounds allow for later
changes of the reserve.

The limits of memory cgroups are not taken into account.

Examples: how many blocks of eight pages an interrupt on CPU 2 gets, and what to set after a minute
of load:

  labyrinth headroom --cpu 2 --order 3 --arithmetic
  labyrinth headroom --bursts --duration 60";

/// The options of `labyrinth headroom`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = LONG_HELP)]
#[command(group(ArgGroup::new("live").args(["watch", "bursts"])))]
pub struct Args {
    /// The flags of the requests
    #[arg(long, value_enum, default_value = "atomic")]
    gfp: Gfp,
    /// The order of the requests: each is for 2^ORDER pages
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(HIGHEST_ORDER)))]
    order: u32,
    /// Only the zones of this NUMA node, as for __GFP_THISNODE
    #[arg(long)]
    node: Option<u32>,
    /// The CPU of the burst, whose list of pages counts (default: any)
    #[arg(long)]
    cpu: Option<u32>,
    /// Show the arithmetic of each zone
    #[arg(long)]
    arithmetic: bool,
    /// Show it again and again until interrupted, with the least number seen
    #[arg(long)]
    watch: bool,
    /// Time between two looks with --watch, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000, conflicts_with = "bursts", value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    interval: u64,
    /// Measure how many atomic pages are taken at once, until interrupted, and say what to set
    ///
    /// Shows the most pages that were taken in any 1, 10 and 100 ms, and who took them. It needs
    /// root, and takes some time in each page allocation of the machine.
    #[arg(long, conflicts_with_all = ["gfp", "order", "cpu", "arithmetic"])]
    bursts: bool,
    /// What the largest burst is multiplied with, for the recommendation of --bursts
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, requires = "bursts", value_parser = factor)]
    safety: f64,
    /// End --watch or --bursts after this time, such as 90s, 5m or 2h
    ///
    /// A number without a unit means seconds.
    #[arg(short, long, value_name = "TIME", requires = "live", value_parser = units::parse_duration)]
    duration: Option<Duration>,
    /// Exit with status 1 if there were ever fewer than so many requests left
    #[arg(long, value_name = "REQUESTS")]
    fail_below: Option<u64>,
    /// Print JSON: a document, or one for each look with --watch
    #[arg(long)]
    json: bool,
}

/// Parses a factor.
fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (1.0..=1000.0).contains(&factor) => Ok(factor),
        _ => Err("a number from 1 to 1000 is needed".to_owned()),
    }
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let proc = Path::new("/proc");
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let mut least = u64::MAX;
    let mut reserved = Vec::new();
    let mut question = Question {
        gfp: args.gfp,
        order: args.order,
        node: args.node,
        cpu: args.cpu,
        types: true,
    };

    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&stop))?;
    }
    if args.bursts {
        let options = bursts::Options {
            duration: args.duration,
            safety: args.safety,
            node: args.node,
            fail_below: args.fail_below,
            json: args.json,
        };
        return bursts::run(&options, &|| stop.load(Relaxed));
    }
    loop {
        let mut headroom = look_again(proc, question, &mut reserved)?;
        question.types = false;
        least = least.min(headroom.requests);
        headroom.least = least;
        let mut out = io::stdout().lock();
        let there = stdout::reached(if args.json {
            json::print(&headroom, args.watch)
        } else if args.watch {
            show::line(&mut out, &headroom, start.elapsed())
        } else {
            show::table(&mut out, &headroom, args.arithmetic, terminal::colours())
        })?;
        drop(out);
        // Without a reader, only the verdict counts.
        let open = there || args.fail_below.is_some_and(|bound| least >= bound);
        if !args.watch || !open || !wait(args, &stop, start) {
            break;
        }
    }
    Ok(verdict(args.fail_below, least))
}

/// Compares the least headroom with the value of --fail-below. Says so if it was too small.
fn verdict(fail_below: Option<u64>, least: u64) -> Verdict {
    match fail_below {
        Some(bound) if least < bound => {
            say!("the headroom was {least}, which is less than {bound} (--fail-below)");
            Verdict::Crossed
        }
        _ => Verdict::Fine,
    }
}

/// The usual question: how many order-0 requests with GFP_ATOMIC a burst can still get.
pub const USUAL: Question = Question {
    gfp: Gfp::Atomic,
    order: 0,
    node: None,
    cpu: None,
    types: false,
};

/// Returns the answer to the usual question, if it can be seen.
pub fn now(proc: &Path) -> Option<u64> {
    look(proc, USUAL).ok().map(|found| found.requests)
}

/// Waits for the next look. Returns false if there is to be none.
fn wait(args: &Args, stop: &AtomicBool, start: Instant) -> bool {
    let until = Instant::now() + Duration::from_millis(args.interval);
    let over = || {
        let limit = args.duration;
        stop.load(Relaxed) || limit.is_some_and(|limit| start.elapsed() >= limit)
    };

    while !over() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(TICK));
    }
    false
}
