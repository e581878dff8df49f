// SPDX-License-Identifier: GPL-2.0

//! `labyrinth squeeze`: holds free memory so that atomic requests fail.

mod child;
mod device;
mod document;
mod margin;
mod show;

pub use device::PATH;

use crate::{
    exit::{Problem, Verdict},
    failures, headroom, json,
    message::say,
    progress::Progress,
    stdout, units,
};
use child::Running;
use device::{Device, Order, Status};
use document::{End, Squeezed};
use margin::{Margin, CGROUPS};
use rustix::mm::{mlockall, MlockAllFlags};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};
use std::{
    ffi::OsString,
    io,
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering::Relaxed},
        Arc,
    },
    thread,
    time::{Duration, Instant},
};

/// The largest headroom that the module accepts.
const MOST: i64 = 1 << 20;
/// The pause between two checks of the tool for the end of the squeeze.
const LOOK: Duration = Duration::from_millis(50);
/// The longest time to wait until the module has checked each CPU.
const SETTLING: Duration = Duration::from_millis(500);
/// The additional time for each page of headroom, which the module gives back in small portions.
const SETTLING_OF_PAGE: Duration = Duration::from_micros(20);
/// The longest duration of a squeeze in the module.
const LONGEST: Duration = Duration::from_secs(3600);

/// The text below the options of `labyrinth squeeze --help`.
const LONG_HELP: &str = "\
The headroom is the number of pages that a burst of GFP_ATOMIC requests for single pages gets on
one CPU before the first refusal. The module holds all other free pages. It checks each CPU every
few milliseconds, and takes the pages that others have freed since the last check. Between two
checks, the headroom can be larger than N. The module replaces pages that others have taken only if
--refill is given; otherwise the headroom can be smaller than N.

Meanwhile, requests that may sleep have to reclaim memory, so the machine is slow, and the page
cache shrinks. Do not run this command on a machine that others need.

All pages are given back when the tool ends or dies, and when the time is over, even if SIGSTOP has
stopped the tool. If the kernel runs out of memory, the module gives all pages back before the OOM
killer kills a process, unless --force is given. With --force, the OOM killer kills the tool before
all other processes.

When the squeeze ends before COMMAND, the tool waits for COMMAND. A second signal ends the tool at
once.

Exit status:
  0  the squeeze lasted until its end: of COMMAND, of the time, or a signal
  1  COMMAND failed
  2  wrong usage; also if COMMAND cannot be run, and then no memory is taken
  3  the machine cannot be squeezed, or the squeeze ended early because memory ran out

Examples: run the failure path of a driver for a minute; run a test while atomic requests fail:

  labyrinth squeeze --headroom 100
  labyrinth squeeze --headroom 0 -- ./test-of-my-driver";

/// The options of `labyrinth squeeze`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = LONG_HELP)]
pub struct Args {
    /// Number of pages that a burst can still get
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=MOST as u64))]
    headroom: u64,
    /// Give all pages back after this time, at most an hour
    #[arg(short, long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    duration: Duration,
    /// Replace the pages that others take, so that each burst gets N pages
    #[arg(long)]
    refill: bool,
    /// Squeeze even if the OOM killer may run, and hold the pages when it does
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Squeeze while this command runs; it follows `--`, and status 1 means that it failed
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

fn duration(text: &str) -> Result<Duration, String> {
    match units::parse_duration(text)? {
        time if (Duration::from_millis(1)..=LONGEST).contains(&time) => Ok(time),
        _ => Err("a time from 1ms to 1h is needed".to_owned()),
    }
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let proc = Path::new("/proc");
    let stop = Arc::new(AtomicBool::new(false));

    if !args.command.is_empty() {
        child::check(&args.command)?;
    }
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // After the first signal, the tool may have to wait for the command.
        flag::register_conditional_default(signal, Arc::clone(&stop))?;
        flag::register(signal, Arc::clone(&stop))?;
    }
    let device = Device::open(Path::new("/"))?;
    let margin = Margin::read(proc, Path::new(CGROUPS))?;
    if !args.force && !margin.is_kept() {
        return Err(margin.problem().into());
    }
    // Do everything that needs memory before the squeeze.
    let mut count = failures::Count::start(Path::new("/"));
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE).map_err(|error| {
        Problem::cannot_run(format!("cannot lock memory: {error}"), "run as root")
    })?;
    let score = child::become_first_victim();
    let before_pages = headroom::now(proc).unwrap_or(0);

    let squeeze = Squeeze {
        args,
        proc,
        stop: &stop,
        killed: margin::killed(proc),
    };
    squeeze.take(&device, margin)?;
    let start = Instant::now();
    let (end, status, running) = squeeze.hold(&device, score.as_deref())?;
    let seconds = start.elapsed().as_secs_f64();
    drop(device);
    if running.is_some() && end != End::Command {
        say!(
            "all pages are given back, because {}; waiting for the command to end",
            show::reason(end)
        );
    }

    let failures = count
        .as_mut()
        .map(|count| count.total().saturating_sub(status.refused));
    let command_status = running.map(Running::wait).transpose()?;
    let squeezed = Squeezed {
        schema: "labyrinth/squeeze/1",
        headroom: args.headroom,
        before_pages,
        taken_pages: status.first,
        held_pages: status.held,
        taken_later_pages: status.later,
        checks: status.checks,
        exact_checks: status.exact,
        least_pages: status.least,
        most_pages: status.greatest,
        checks_at_limit: status.limited,
        after_pages: headroom::now(proc).unwrap_or(0),
        seconds,
        end,
        failures,
        command_status,
    };
    if args.json {
        stdout::reached(json::print(&squeezed, false))?;
    } else {
        stdout::reached(show::text(&mut io::stdout().lock(), &squeezed))?;
    }
    verdict(&squeezed)
}

/// Waits until each CPU has reached the wanted headroom once. On a busy machine, some may never do.
fn settle(device: &Device, headroom: u64) -> io::Result<()> {
    let start = Instant::now();
    let longest = SETTLING + SETTLING_OF_PAGE * u32::try_from(headroom).unwrap_or(u32::MAX);

    while start.elapsed() < longest && device.status()?.unsettled > 0 {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Judges a squeeze.
fn verdict(squeezed: &Squeezed) -> anyhow::Result<Verdict> {
    match squeezed.end {
        End::Memory | End::OutOfMemory | End::OomKill => Err(Problem::cannot_run(
            format!(
                "the squeeze ended early and gave all pages back, because {}",
                show::reason(squeezed.end)
            ),
            "squeeze a machine with more page cache, or for a shorter time",
        )
        .into()),
        _ if squeezed.command_status.unwrap_or(0) != 0 => Ok(Verdict::Crossed),
        _ => Ok(Verdict::Fine),
    }
}

/// A squeeze, with the conditions that can end it.
struct Squeeze<'a> {
    args: &'a Args,
    proc: &'a Path,
    stop: &'a AtomicBool,
    killed: u64,
}

impl Squeeze<'_> {
    /// Takes all pages that the module may take.
    fn take(&self, device: &Device, margin: Margin) -> anyhow::Result<()> {
        let mut progress = Progress::new("taking free memory");
        let most = if self.args.force {
            u64::MAX >> 1
        } else {
            margin.may_hold()
        };

        device.start(Order {
            headroom: self.args.headroom,
            most,
            time: self.args.duration,
            refill: self.args.refill,
            force: self.args.force,
        })?;
        while device.take()? && !self.stop.load(Relaxed) {
            progress.at(|| match device.status() {
                Ok(status) => units::counted(status.held, "page"),
                Err(error) => error.to_string(),
            });
        }
        Ok(())
    }

    /// Holds the headroom until the end. Returns why it ended, and the last report of the module.
    fn hold(
        &self,
        device: &Device,
        score: Option<&str>,
    ) -> anyhow::Result<(End, Status, Option<Running>)> {
        device.hold()?;
        settle(device, self.args.headroom)?;
        let mut running = match self.args.command.as_slice() {
            [] => None,
            words => Some(Running::start(words, score)?),
        };
        if running.is_none() {
            say!(
                "holding the headroom at {}; Ctrl-C gives all pages back",
                units::counted(self.args.headroom, "page")
            );
        }
        let mut held = 0;
        loop {
            let mut status = device.status()?;
            if status.over || status.out_of_memory {
                // The module is giving the pages back already.
                status.held = held;
            }
            held = status.held;
            let ended = running.as_mut().map(Running::has_ended).transpose()?;
            let end = if ended == Some(true) {
                End::Command
            } else if status.out_of_memory {
                End::OutOfMemory
            } else if self.stop.load(Relaxed) {
                End::Signal
            } else if status.over {
                End::Time
            } else if margin::killed(self.proc) != self.killed {
                End::OomKill
            } else if self.is_running_out() {
                End::Memory
            } else {
                thread::sleep(LOOK);
                continue;
            };
            return Ok((end, status, running));
        }
    }

    /// Returns whether so little memory is left that the OOM killer may run soon.
    fn is_running_out(&self) -> bool {
        let now = || Margin::read(self.proc, Path::new(CGROUPS));
        !self.args.force && now().is_ok_and(|now| now.is_running_out())
    }
}

#[cfg(test)]
mod tests {
    use super::duration;
    use std::time::Duration;

    #[test]
    fn durations_have_bounds() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert!(duration("0s").is_err());
        assert!(duration("2h").is_err());
    }
}
