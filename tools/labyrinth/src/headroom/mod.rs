// SPDX-License-Identifier: GPL-2.0

//! `labyrinth headroom`: how many pages a burst of atomic requests can still get.

pub mod model;
mod show;

use crate::{
    exit::{Problem, Verdict},
    json,
    memory::{
        buddyinfo,
        zoneinfo::{self, Zone},
    },
    terminal,
};
use model::{arithmetic, may_use, Arithmetic, Gfp, Request};
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

/// The highest order of the page allocator on all architectures together.
const HIGHEST_ORDER: u32 = 13;

/// How often a wait looks whether it is to end.
const TICK: Duration = Duration::from_millis(50);

/// The options of `labyrinth headroom`.
#[derive(Debug, clap::Args)]
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
    /// Show the arithmetic of each zone
    #[arg(long)]
    arithmetic: bool,
    /// Show it again and again until interrupted, with the least number seen
    #[arg(long)]
    watch: bool,
    /// Time between two looks with --watch, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    interval: u64,
    /// End after this many seconds, with --watch
    #[arg(long, value_name = "SECONDS", requires = "watch")]
    duration: Option<u64>,
    /// Exit with status 1 if there were ever fewer than so many requests left
    #[arg(long, value_name = "REQUESTS")]
    fail_below: Option<u64>,
    /// Print JSON: a document, or one for each look with --watch
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Headroom {
    /// "labyrinth/headroom/1"
    schema: &'static str,
    /// The flags of the requests, such as "GFP_ATOMIC".
    gfp: &'static str,
    /// The order of the requests.
    order: u32,
    /// Requests that a burst can still get, if the lists of the CPUs keep nothing back.
    requests: u64,
    /// Requests that it can get if the lists of a CPU keep back as much as they may.
    at_least: u64,
    /// The least `requests` seen so far with --watch.
    least: u64,
    /// The zones that the requests may use.
    zones: Vec<ZoneHeadroom>,
}

/// The part of a zone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ZoneHeadroom {
    /// The NUMA node.
    node: u32,
    /// The name, such as "Normal".
    zone: String,
    /// Requests that the zone can serve.
    requests: u64,
    /// The numbers that this was computed from.
    arithmetic: Arithmetic,
}

impl json::Document for Headroom {
    const NAME: &'static str = "headroom";
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let proc = Path::new("/proc");
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let mut least = u64::MAX;

    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&stop))?;
    }
    loop {
        let mut headroom = look(proc, args)?;
        least = least.min(headroom.requests);
        headroom.least = least;
        if args.json {
            json::print(&headroom, args.watch)?;
        } else if args.watch {
            show::line(&headroom, start.elapsed())?;
        } else {
            show::table(&headroom, args.arithmetic, terminal::colours())?;
        }
        if !args.watch || !wait(args, &stop, start) {
            break;
        }
    }
    let crossed = args.fail_below.is_some_and(|bound| least < bound);
    Ok(if crossed {
        Verdict::Crossed
    } else {
        Verdict::Fine
    })
}

/// Waits for the next look. Returns false if there is to be none.
fn wait(args: &Args, stop: &AtomicBool, start: Instant) -> bool {
    let until = Instant::now() + Duration::from_millis(args.interval);
    let over = || {
        let limit = args.duration.map(Duration::from_secs);
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

/// Looks at the memory once.
fn look(proc: &Path, args: &Args) -> anyhow::Result<Headroom> {
    let all = zoneinfo::read(proc)?;
    let blocks = if args.order > 0 {
        buddyinfo::read(proc)
    } else {
        Vec::new()
    };
    let request = Request {
        gfp: args.gfp,
        order: args.order,
        place: Zone::place_of_normal(&all).unwrap_or(usize::MAX),
    };
    let mut sums = Vec::new();

    for zone in all.iter().filter(|zone| may_use(zone, request)) {
        if args.node.is_some_and(|node| node != zone.node) {
            continue;
        }
        let blocks = blocks
            .iter()
            .find(|blocks| blocks.node == zone.node && blocks.zone == zone.name);
        sums.push((zone, arithmetic(zone, blocks, request)));
    }
    if sums.is_empty() {
        return Err(no_zone(&all, args.node).into());
    }
    let requests = sums.iter().map(|(_, sum)| sum.served).sum();
    let swallowed: u64 = sums.iter().map(|(_, sum)| sum.swallowed).sum();
    let zones = sums.into_iter().map(|(zone, arithmetic)| ZoneHeadroom {
        node: zone.node,
        zone: zone.name.clone(),
        requests: arithmetic.served,
        arithmetic,
    });

    Ok(Headroom {
        schema: "labyrinth/headroom/1",
        gfp: args.gfp.name(),
        order: args.order,
        requests,
        at_least: requests - swallowed,
        least: requests,
        zones: zones.collect(),
    })
}

fn no_zone(zones: &[Zone], node: Option<u32>) -> Problem {
    let mut nodes: Vec<u32> = zones
        .iter()
        .filter(|z| z.is_populated())
        .map(|z| z.node)
        .collect();
    nodes.dedup();
    let nodes: Vec<String> = nodes.iter().map(u32::to_string).collect();

    Problem::usage(
        format!(
            "no node {} with memory that the kernel may use",
            node.unwrap_or(0)
        ),
        format!("use one of the nodes {}", nodes.join(", ")),
    )
}
