// SPDX-License-Identifier: GPL-2.0

//! Counts failures from the start to the end.

use super::{
    cpus::{self, Hotplug},
    document::{LogSummary, Summary},
    flags::Names,
    injected,
    live::{Live, Mode},
    log::Log,
    probe::{self, Cause, Probe, Raw, Source},
    problem,
    symbols::{self, Frame, Symbols},
    tally::{By, Failure, Tally},
    watch::Watch,
    Args, Choice, Injected, Problem,
};
use anyhow::Context as _;
use rustix::{
    event::{poll, PollFd, PollFlags, Timespec},
    io::Errno,
    process::{getrlimit, setrlimit, Resource, Rlimit},
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    os::{fd::AsFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    rc::Rc,
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
    let end = Signals::new().context("cannot catch signals")?;
    // First of all, so that no CPU is missed.
    let hotplug = Hotplug::listen().ok();
    raise_limit();
    let online = cpus::online(root).context("cannot tell which CPUs are online")?;
    let names = Resolver::new(root);
    let log = Log::open(root).ok();
    let (source, main) = start(args.source, root, &online)?;
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

    eprintln!(
        "labyrinth: counting failed page allocations by {}{}",
        source.name(),
        if args.duration.is_none() {
            "; ctrl-C ends it"
        } else {
            ""
        }
    );
    session.resolver.complain();
    session.wait(&end, args.duration)?;
    session.finish(args)
}

/// Allows as many open files as possible. Each CPU needs one or two.
fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);

    // If this fails, the limit may still do.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
}

/// Starts the source that was chosen.
fn start(choice: Choice, root: &Path, online: &BTreeSet<u32>) -> anyhow::Result<(Source, Watch)> {
    let one = |source| -> Result<(Source, Watch), Problem> {
        if let Some(problem) = problem::expected(source, root) {
            return Err(problem);
        }
        Probe::of(source, root)
            .and_then(|probe| Watch::start(probe, root, online))
            .map(|watch| (source, watch))
            .map_err(|error| problem::explain(source, &error))
    };

    Ok(match choice {
        Choice::Kprobe => one(Source::Kprobe)?,
        Choice::Tracepoint => one(Source::Tracepoint)?,
        Choice::Auto => match one(Source::Kprobe) {
            Ok(started) => started,
            Err(kprobe) => one(Source::Tracepoint).map_err(|tracepoint| {
                if kprobe.what() == tracepoint.what() {
                    return tracepoint;
                }
                Problem::cannot_run(
                    format!("{}, and {}", kprobe.what(), tracepoint.what()),
                    format!("{}, or {}", kprobe.fix(), tracepoint.fix()),
                )
            })?,
        },
    })
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
        let watch = Watch::start(probe, root, online)?;
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
    fn wait(&mut self, end: &Signals, duration: Option<Duration>) -> anyhow::Result<()> {
        loop {
            let left = duration.map(|duration| duration.saturating_sub(self.started.elapsed()));
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
        let switched = match &self.hotplug {
            Some(hotplug) => hotplug.changed(),
            None => Some(BTreeSet::new()),
        };
        if self.hotplug.is_none() || switched.as_ref().is_none_or(|cpus| !cpus.is_empty()) {
            self.follow(switched)?;
        }
        Ok(())
    }

    /// Follows CPUs that went online or offline, or looks at all if it is unknown which.
    fn follow(&mut self, switched: Option<BTreeSet<u32>>) -> anyhow::Result<()> {
        let online = cpus::online(&self.root).context("cannot tell which CPUs are online")?;
        let switched = switched.unwrap_or_else(|| online.clone());

        for watch in &mut self.watches {
            watch.follow(&online, &switched);
        }
        self.resolver.nodes = cpus::nodes(&self.root);
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

/// Finds names for what was recorded.
struct Resolver {
    root: PathBuf,
    symbols: Option<Symbols>,
    flags: Names,
    nodes: HashMap<u32, u32>,
    stacks: HashMap<Vec<u64>, Rc<[Frame]>>,
    processes: HashMap<u32, Rc<str>>,
    /// Whether the modules were checked since the last call of `begin`.
    checked: bool,
    gfp: HashMap<u64, Rc<str>>,
}

impl Resolver {
    fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            symbols: probe::symbols(root),
            flags: probe::names(root),
            nodes: cpus::nodes(root),
            stacks: HashMap::new(),
            processes: HashMap::new(),
            checked: false,
            gfp: HashMap::new(),
        }
    }

    /// Says which names are missing, and what helps.
    fn complain(&self) {
        if self.symbols.is_none() {
            eprintln!(
                "labyrinth: the kernel hides its symbols, so callers are numbers; fix: run as \
                 root, with sysctl kernel.kptr_restrict=1 or less"
            );
        }
        if self.flags.is_empty() {
            eprintln!(
                "labyrinth: tracefs is not mounted, so flags are numbers; fix: mount -t tracefs \
                 tracefs /sys/kernel/tracing"
            );
        }
    }

    fn resolve(&mut self, probe: &Probe, raw: Raw) -> Failure {
        let stack = self.frames(&raw.stack);
        let cause = probe.cause(&raw, &stack);
        let gfp = raw.gfp.map(|gfp| {
            let flags = &self.flags;
            self.gfp
                .entry(gfp)
                .or_insert_with(|| flags.decode(gfp).into())
                .clone()
        });

        Failure {
            time: raw.time,
            cause,
            caller: symbols::caller(&stack).cloned(),
            context: probe.context(&raw, &stack),
            irqs_off: probe.irqs_off(&raw),
            order: raw.order.filter(|_| cause != Cause::Other),
            flags: gfp,
            nowarn: raw.gfp.is_some_and(|gfp| self.flags.nowarn(gfp)),
            process: self.process(raw.thread),
            thread: raw.thread,
            cpu: raw.cpu,
            node: self.nodes.get(&raw.cpu).copied().unwrap_or(0),
            stack,
        }
    }

    /// Begins a batch. Modules and processes can have changed since the last one.
    fn begin(&mut self) {
        self.checked = false;
        self.processes.clear();
    }

    fn frames(&mut self, addresses: &[u64]) -> Rc<[Frame]> {
        if let (Some(symbols), false) = (&mut self.symbols, self.checked) {
            self.checked = true;
            if symbols.refresh() {
                self.stacks.clear();
            }
        }
        if let Some(frames) = self.stacks.get(addresses) {
            return frames.clone();
        }
        let frames: Rc<[Frame]> = match &self.symbols {
            Some(symbols) => symbols.frames(addresses).into(),
            None => addresses
                .iter()
                .map(|&address| Frame::unknown(address))
                .collect(),
        };

        self.stacks.insert(addresses.to_vec(), frames.clone());
        frames
    }

    /// Returns the name of a thread, which may have ended.
    fn process(&mut self, thread: Option<u32>) -> Rc<str> {
        const ENDED: &str = "(ended)";
        let root = &self.root;
        let name = |thread| match thread {
            0 => "swapper".into(),
            _ => fs::read_to_string(root.join(format!("proc/{thread}/comm")))
                .map_or(ENDED.into(), |name| name.trim_end().into()),
        };

        thread.map_or(ENDED.into(), |thread| {
            self.processes
                .entry(thread)
                .or_insert_with(|| name(thread))
                .clone()
        })
    }
}

/// Signals that end the program.
struct Signals(UnixStream);

impl Signals {
    fn new() -> io::Result<Self> {
        let (receiver, sender) = UnixStream::pair()?;

        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        Ok(Self(receiver))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
