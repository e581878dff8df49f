// SPDX-License-Identifier: GPL-2.0

//! Counts failures from the start to the end.

use super::{
    cpus::{self, Hotplug},
    document::{LogSummary, Summary},
    injected,
    live::{Live, Mode},
    log::Log,
    probe::{Cause, Source},
    resolver::Resolver,
    start::{raise_limit, start},
    tally::{By, Failure, Tally},
    watch::{self, Watch},
    Args, Injected,
};
use crate::{
    message::say,
    signals::{Signals, ENDS},
};
use anyhow::Context as _;
use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    io::Errno,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// After each wake-up, failures are collected for so long. It bounds what a storm of failures
/// costs.
const PAUSE: Duration = Duration::from_millis(10);
/// How often CPUs are looked for if the kernel does not tell.
const LOOK: Duration = Duration::from_secs(1);
/// How long the kernel takes at most to log what it has begun to log.
const LOG_DELAY: Duration = Duration::from_millis(50);

/// Counts failures until the end.
pub fn run(args: &Args, mode: Mode, root: &Path) -> anyhow::Result<Summary> {
    let end = Signals::new(&ENDS).context("cannot catch signals")?;
    // First of all, so that no CPU is missed.
    let hotplug = Hotplug::listen().ok();
    raise_limit();
    let online = cpus::online(root).context("cannot tell which CPUs are online")?;
    let names = Resolver::new(root);
    let log = Log::open(root).ok();
    let (source, main) = start(args.source, root, &online, watch::progress)?;
    let injected = start_injected(args.injected, root, &online);
    let mut session = Session {
        root: root.to_owned(),
        source,
        watches: std::iter::once(main).chain(injected.watch).collect(),
        event: injected.event,
        left: injected.left,
        blind: injected.blind,
        hotplug,
        log,
        started: Instant::now(),
        resolver: names,
        sums: Sums {
            live: Live::new(mode),
            rows: Tally::new(&args.by, args.stacks),
            by_process: Tally::new(&[By::Process], false),
            by_node: Tally::new(&[By::Node], false),
            nowarn: 0,
            other: 0,
        },
    };

    say!(
        "counting failed page allocations by {}{}",
        source.name(),
        if args.duration.is_none() {
            "; ctrl-C ends it"
        } else {
            ""
        }
    );
    session.resolver.complain();
    session.wait(&end, args)?;
    session.finish(args)
}

/// How injected failures are counted.
#[derive(Default)]
struct InjectedSource {
    watch: Option<Watch>,
    event: Option<injected::Event>,
    left: Option<u64>,
    blind: bool,
}

fn start_injected(choice: Injected, root: &Path, online: &BTreeSet<u32>) -> InjectedSource {
    if choice == Injected::Never || !injected::possible(root) {
        return InjectedSource::default();
    }
    let started = injected::Event::define(root).and_then(|(event, probe)| {
        let watch = Watch::start(probe, root, online, watch::progress())?;
        Ok((event, watch))
    });

    match started {
        Ok((event, watch)) => InjectedSource {
            watch: Some(watch),
            event: Some(event),
            ..InjectedSource::default()
        },
        Err(_) => {
            let left = injected::left(root);
            InjectedSource {
                left,
                blind: left.is_none(),
                ..InjectedSource::default()
            }
        }
    }
}

/// Everything while it counts.
struct Session {
    root: PathBuf,
    source: Source,
    // Before the event, which can be removed only when it is not in use.
    watches: Vec<Watch>,
    event: Option<injected::Event>,
    left: Option<u64>,
    /// Whether the kernel can inject failures that are not counted.
    blind: bool,
    hotplug: Option<Hotplug>,
    log: Option<Log>,
    started: Instant,
    resolver: Resolver,
    sums: Sums,
}

/// What is added up and shown.
struct Sums {
    live: Live,
    rows: Tally,
    by_process: Tally,
    by_node: Tally,
    nowarn: u64,
    other: u64,
}

impl Sums {
    fn add(&mut self, failure: &Failure) -> anyhow::Result<()> {
        self.live.show(failure)?;
        self.rows.add(failure);
        if failure.cause == Cause::Other {
            self.other += 1;
            return Ok(());
        }
        self.by_process.add(failure);
        self.by_node.add(failure);
        // Injected failures are not reported, whatever their flags.
        self.nowarn += u64::from(failure.nowarn && failure.cause == Cause::Memory);
        Ok(())
    }
}

impl Session {
    /// Waits for failures, until the end.
    fn wait(&mut self, end: &Signals, args: &Args) -> anyhow::Result<()> {
        loop {
            let left = args
                .duration
                .map(|duration| duration.saturating_sub(self.started.elapsed()));
            let look = self.hotplug.is_none().then_some(LOOK);
            let timeout = [left, look, self.sums.live.due()]
                .into_iter()
                .flatten()
                .min();

            if self.poll(end, timeout)? || left == Some(Duration::ZERO) {
                return Ok(());
            }
            self.collect()?;
            self.sums.live.catch_up(false)?;
            // Without a reader, only the verdict counts.
            if self.sums.live.is_alone && args.fail_above.is_none() {
                return Ok(());
            }
        }
    }

    /// Waits until something happens. Returns whether a signal has arrived.
    fn poll(&mut self, end: &Signals, timeout: Option<Duration>) -> anyhow::Result<bool> {
        let timeout = timeout.map(Timespec::try_from).transpose().ok().flatten();
        let mut places = Vec::new();
        let mut fds = vec![PollFd::new(end, PollFlags::IN)];

        fds.extend(self.log.as_ref().map(|log| PollFd::new(log, PollFlags::IN)));
        fds.extend(
            self.hotplug
                .as_ref()
                .map(|hotplug| PollFd::new(hotplug, PollFlags::IN)),
        );
        let others = fds.len();
        for (index, watch) in self.watches.iter().enumerate() {
            for (cpu, file) in watch.files() {
                places.push((index, cpu));
                fds.push(PollFd::from_borrowed_fd(file, PollFlags::IN));
            }
        }
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("cannot wait for failures"),
        }
        let signalled = !fds[0].revents().is_empty();
        let failed = fds[others..]
            .iter()
            .any(|fd| fd.revents().contains(PollFlags::IN));
        let ended: Vec<(usize, u32)> = fds[others..]
            .iter()
            .zip(&places)
            .filter(|(fd, _)| {
                fd.revents()
                    .intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
            })
            .map(|(_, &place)| place)
            .collect();

        drop(fds);
        for (index, cpu) in ended {
            self.watches[index].ended(&[cpu]);
        }
        if failed && !signalled {
            thread::sleep(PAUSE);
        }
        Ok(signalled)
    }

    /// Collects everything that there is.
    fn collect(&mut self) -> anyhow::Result<()> {
        let Self {
            watches,
            resolver,
            sums,
            ..
        } = self;
        let mut failed = Ok(());

        resolver.begin();
        for watch in watches.iter_mut() {
            watch.drain(|probe, raw| {
                if failed.is_ok() {
                    failed = sums.add(&resolver.resolve(probe, raw));
                }
            });
        }
        failed?;
        if let Some(log) = &mut self.log {
            log.read();
        }
        let changed = cpus::changed(&self.root, self.hotplug.as_ref())
            .context("cannot tell which CPUs are online")?;
        if let Some((online, switched)) = changed {
            for watch in &mut self.watches {
                watch.follow(&online, &switched);
            }
            self.resolver.nodes = cpus::nodes(&self.root);
        }
        Ok(())
    }

    /// Stops counting, and returns the summary.
    fn finish(mut self, args: &Args) -> anyhow::Result<Summary> {
        let seconds = self.started.elapsed().as_secs_f64();

        for watch in &mut self.watches {
            watch.stop();
        }
        self.collect()?;
        self.sums.live.catch_up(true)?;
        let counts: Vec<(u64, u64)> = self
            .watches
            .iter_mut()
            .map(|watch| (watch.total(), watch.seen()))
            .collect();
        let (main, seen) = counts[0];
        let by_probe = counts.get(1).map(|&(total, _)| total);
        let by_limit = self
            .left
            .zip(injected::left(&self.root))
            .map(|(before, now)| before.saturating_sub(now));
        let injected = by_probe.or(by_limit);
        let from_memory = main - self.sums.other.min(main);
        let failures = from_memory + injected.unwrap_or(0);
        let without_details = main - seen
            + counts.get(1).map_or(0, |&(total, seen)| total - seen)
            + if by_probe.is_none() {
                by_limit.unwrap_or(0)
            } else {
                0
            };
        let log = self.log.take().map(|mut log| {
            if main > 0 {
                thread::sleep(LOG_DELAY);
            }
            log.read();
            LogSummary {
                reports: log.reports,
                suppressed: from_memory
                    .saturating_sub(self.sums.nowarn)
                    .saturating_sub(log.reports),
                overflowed: log.overflowed,
            }
        });
        let mut cannot_see: Vec<String> = self
            .source
            .cannot_see()
            .iter()
            .map(|&what| what.to_owned())
            .collect();

        if self.blind {
            cannot_see.push(
                "failures that fail_page_alloc injects (needs a kernel with kprobes, or a limit \
                 in its file `times`)"
                    .to_owned(),
            );
        }
        // The perf events must be closed before the event of tracefs is removed.
        self.watches.clear();
        drop(self.event.take());
        Ok(Summary {
            schema: "labyrinth/failures/1",
            source: self.source,
            cannot_see,
            seconds,
            failures,
            injected,
            without_details,
            nowarn: self.sums.nowarn,
            other_warnings: self.sums.other,
            log,
            threshold: args.fail_above,
            crossed: args
                .fail_above
                .is_some_and(|threshold| failures > threshold),
            rows: self.sums.rows.rows(),
            by_process: self.sums.by_process.rows(),
            by_node: self.sums.by_node.rows(),
        })
    }
}
