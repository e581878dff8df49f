// SPDX-License-Identifier: GPL-2.0

//! `labyrinth headroom --bursts`: how many atomic pages are taken at once, and what to set.

mod advice;
mod callers;
mod document;
mod show;
mod windows;

use super::{
    list,
    look::{look, Question},
    model::Gfp,
    verdict,
};
use crate::{
    exit::Verdict,
    failures::{
        cpus,
        probe::{self, Probe, Source},
        problem,
        watch::{self, Watch},
    },
    json,
    memory::zoneinfo,
    message::say,
    progress::Progress,
    stdout, terminal, units,
};
use advice::{advise, Advice, Facts, ZoneFacts};
use anyhow::Context as _;
use callers::Callers;
use document::{Bursts, Length, OneBurst, Share};
use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};
use windows::{Burst, Event, Merger, Window};

/// The lengths of bursts, in milliseconds.
const LENGTHS: [u64; 3] = [1, 10, 100];
/// The length that the advice is for. Meanwhile kswapd frees nothing, unless it is quick.
const ADVISED: u64 = 10;
/// How often the records are read.
const READ: Duration = Duration::from_millis(20);
/// How often the headroom is computed, and CPUs are looked for.
const LOOK: Duration = Duration::from_millis(200);
/// `__GFP_HIGH` and `__GFP_DIRECT_RECLAIM` on most kernels, for those that do not tell.
const HIGH: u64 = 0x20;
const DIRECT_RECLAIM: u64 = 0x400;

/// What is wanted.
pub struct Options {
    /// The end, or none if only a signal ends it.
    pub duration: Option<Duration>,
    /// The factor for the largest burst.
    pub safety: f64,
    /// The only node to use.
    pub node: Option<u32>,
    /// Below this headroom, a threshold is crossed.
    pub fail_below: Option<u64>,
    /// Whether to print JSON.
    pub json: bool,
}

/// Measures until the end, and prints the answer.
pub fn run(options: &Options, over: &dyn Fn() -> bool) -> anyhow::Result<Verdict> {
    let bursts = measure(options, Path::new("/"), over)?;

    if options.json {
        stdout::reached(json::print(&bursts, false))?;
    } else {
        let mut out = io::stdout().lock();
        stdout::reached(show::text(&mut out, &bursts, terminal::colours()))?;
    }
    Ok(verdict(options.fail_below, bursts.least_headroom))
}

/// Everything while it measures.
struct Session {
    watch: Watch,
    callers: Callers,
    merger: Merger,
    windows: Vec<Window>,
    pages: u64,
}

impl Session {
    /// Reads all records.
    fn read(&mut self) {
        let Self {
            watch,
            callers,
            merger,
            windows,
            pages,
        } = self;

        callers.refresh();
        watch.drain(|probe, raw| {
            let count = 1 << raw.order.unwrap_or(0).min(20);
            *pages += count;
            merger.add(Event {
                time: raw.time,
                pages: count,
                who: callers.number(probe, raw),
            });
        });
        merger.all_were_read(|event| windows.iter_mut().for_each(|window| window.add(event)));
    }
}

fn measure(options: &Options, root: &Path, over: &dyn Fn() -> bool) -> anyhow::Result<Bursts> {
    if let Some(problem) = problem::expected(Source::Tracepoint, root) {
        return Err(problem.into());
    }
    let names = probe::names(root);
    let value = |name, default| names.value(name).unwrap_or(default);
    let (high, sleeps) = (
        value("__GFP_HIGH", HIGH),
        value("__GFP_DIRECT_RECLAIM", DIRECT_RECLAIM),
    );
    let online = cpus::online(root).context("cannot tell which CPUs are online")?;
    let watch = Probe::of_served(root, high, sleeps)
        .and_then(|probe| Watch::start(probe, root, &online, watch::progress()))
        .map_err(|error| problem::explain(Source::Tracepoint, &error))?;
    let mut session = Session {
        watch,
        callers: Callers::new(root),
        merger: Merger::default(),
        windows: LENGTHS.map(|ms| Window::new(ms * 1_000_000)).into(),
        pages: 0,
    };
    let start = Instant::now();
    let mut looked: Option<Instant> = None;
    let mut least = u64::MAX;
    let mut progress = Progress::new("measuring bursts");

    say!("measuring how many atomic pages are taken at once; ctrl-C ends it");
    if !session.callers.named() {
        say!("the kernel hides its symbols, so callers have no names");
    }
    while !over() && options.duration.is_none_or(|end| start.elapsed() < end) {
        if looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            least = least.min(headroom(options.node, root)?);
            if let Ok(online) = cpus::online(root) {
                session
                    .watch
                    .follow(&online, &std::collections::BTreeSet::new());
            }
            looked = Some(Instant::now());
        }
        let left = options
            .duration
            .map_or(READ, |end| end.saturating_sub(start.elapsed()));
        thread::sleep(left.min(READ));
        session.read();
        progress.at(|| units::counted(session.pages, "page"));
    }
    drop(progress);
    session.watch.stop();
    session.read();
    least = least.min(headroom(options.node, root)?);
    finish(options, root, session, start.elapsed(), least)
}

fn finish(
    options: &Options,
    root: &Path,
    session: Session,
    passed: Duration,
    least: u64,
) -> anyhow::Result<Bursts> {
    let Session {
        mut watch,
        callers,
        merger,
        mut windows,
        pages,
    } = session;

    merger.finish(|event| windows.iter_mut().for_each(|window| window.add(event)));
    let found: Vec<(u64, Vec<Burst>)> = LENGTHS
        .into_iter()
        .zip(windows.into_iter().map(Window::finish))
        .collect();
    let largest = found
        .iter()
        .find(|(length, _)| *length == ADVISED)
        .and_then(|(_, bursts)| bursts.first())
        .map_or(0, |burst| burst.pages);
    let requests = watch.total();

    Ok(Bursts {
        schema: "labyrinth/headroom-bursts/1",
        seconds: passed.as_secs_f64(),
        requests,
        pages,
        lost: requests - watch.seen(),
        lengths: found
            .into_iter()
            .map(|(milliseconds, bursts)| Length {
                milliseconds,
                bursts: bursts
                    .into_iter()
                    .map(|burst| named(burst, &callers))
                    .collect(),
            })
            .collect(),
        least_headroom: least,
        advice: advice(options, root, largest, least)?,
    })
}

/// Returns a burst with the names of its callers.
fn named(burst: Burst, callers: &Callers) -> OneBurst {
    OneBurst {
        pages: burst.pages,
        time: burst.end as f64 / 1e9,
        callers: burst
            .by
            .into_iter()
            .map(|(who, pages)| {
                let caller = callers.get(who);
                Share {
                    pages,
                    caller: caller.frame.clone(),
                    context: caller.context,
                }
            })
            .collect(),
    }
}

/// Returns the headroom now.
fn headroom(node: Option<u32>, root: &Path) -> anyhow::Result<u64> {
    let question = Question {
        gfp: Gfp::Atomic,
        order: 0,
        node,
        cpu: None,
        types: false,
    };

    Ok(look(&root.join("proc"), question)?.requests)
}

fn advice(options: &Options, root: &Path, burst: u64, least: u64) -> anyhow::Result<Advice> {
    let proc = root.join("proc");
    let zones = zoneinfo::read(&proc)?;
    let place = zoneinfo::Zone::place_of_normal(&zones).unwrap_or(usize::MAX);
    let setting = fs::read_to_string(proc.join("sys/vm/min_free_kbytes")).ok();

    Ok(advise(&Facts {
        burst,
        milliseconds: ADVISED,
        safety: options.safety,
        zones: zones
            .iter()
            .filter(|zone| zone.is_populated() && zone.place <= place)
            .filter(|zone| options.node.is_none_or(|node| node == zone.node))
            .map(|zone| {
                let min = zone.min.saturating_sub(zone.boost);
                ZoneFacts {
                    min,
                    out_of_reach: Gfp::Atomic.out_of_reach(min),
                    protected: zone.protection.get(place).is_some_and(|&pages| pages > 0),
                    left_over: zone
                        .lists
                        .iter()
                        .map(list::most_left_over)
                        .max()
                        .unwrap_or(0),
                }
            })
            .collect(),
        min_free_kbytes: setting.and_then(|text| text.trim().parse().ok()),
        page_kib: rustix::param::page_size() as u64 / 1024,
        memory: zones.iter().map(|zone| zone.managed).sum(),
        least,
    }))
}
