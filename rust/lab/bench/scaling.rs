// SPDX-License-Identifier: GPL-2.0

//! One peer on several CPUs at once.
//!
//! In turn 1, 2, 4, 8 and so on up to 64 of the online CPUs work. Each of them has a *worker* in the timer softirq.
//! If contexts are mixed, it also has a worker in a thread (with interrupts disabled during each
//! sample) and a worker in a hard interrupt, if the peer may run there. All workers go on until
//! each of them has its samples, so no sample is taken when other CPUs have already ended.
//!
//! Right before each sample the worker runs a *reference*: a per-CPU stack in C, which shares
//! nothing with any other CPU. So the ratio of the two does not contain anything that slows down
//! both, such as a hypervisor with fewer CPUs than the machine. The figure of a worker is its
//! median sample, so it does not contain samples that were interrupted, or whose CPU was taken
//! away.
//!
//! ```text
//! scale NAME CPUS ROUND CONTEXT REFERENCE SAMPLE     for each worker; the time of one operation of
//!                                                    both, in hundredths of the clock's units
//! away NAME CPUS ROUND AWAY REQUESTS                 requests that a cache in use turned away
//! shared NAME CPUS OPS                               the counts since the last such line are of
//!                                                    samples with this many operations
//! ```
//!
//! This does not exist on PREEMPT_RT, where most peers must not run in a hard interrupt.

use super::{
    peers::{
        Empty,
        Exclusive,
        Peer, //
    },
    pool,
    timing, //
};
use crate::ffi::bench::{
    self,
    clock,
    Prepared, //
};
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        Arc,
        Completion, //
    }, //
};
use labyrinth::{
    context::{
        with_task,
        HardIrq,
        PlainAlloc,
        Softirq, //
    },
    cpu::{
        HotplugGuard,
        OnlineCpu, //
    },
    irq::irqs_off,
    task::{
        Body,
        Running,
        ShouldStop,
        Thread, //
    },
    time::{
        Handler,
        Moment,
        Next,
        Timer, //
    }, //
};

/// The numbers of CPUs that work at once.
const CPUS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// The pages in a reserve: each CPU can have a full share.
const RESERVE: usize = 2048;

/// The peers in C that take part.
const IN_C: [&str; 8] = [
    "empty_c",
    "alloc_pages",
    "page_pool_fast",
    "page_pool_ring",
    "mempool",
    "mempool_reserve",
    "kmem_cache",
    // The reference itself. Its ratio should be 1, so it shows the error of the measurement.
    "limit",
];

/// The size of a run.
pub(super) trait Plan: 'static {
    /// Whether threads and hard interrupts work, too.
    const MIXED: bool;
    /// The number of rounds. Each round measures everything.
    const ROUNDS: usize;
    /// The operations in a sample. They are so few that most samples are not interrupted.
    const OPS: usize;
    /// The number of samples of each worker.
    const SAMPLES: usize;
    /// The number of samples that a timer takes each time that it expires.
    const IN_A_ROW: usize;
}

/// The plan that measures time.
pub(super) struct Timed;

impl Plan for Timed {
    const MIXED: bool = true;
    const ROUNDS: usize = 3;
    const OPS: usize = 64;
    const SAMPLES: usize = 51;
    const IN_A_ROW: usize = 4;
}

/// The plan for the counts of `tests/bench/sharing.c`. Each worker has its CPU to itself: an
/// interrupted access to a cache would be counted as if it had met another CPU.
pub(super) struct Counted;

impl Plan for Counted {
    const MIXED: bool = false;
    const ROUNDS: usize = 1;
    const OPS: usize = 16;
    const SAMPLES: usize = 64;
    const IN_A_ROW: usize = 16;
}

/// The operations of the reference before each sample.
const REFERENCE_OPS: usize = 256;

/// Measures all peers. Task context only, sleeps.
pub(super) fn run<P: Plan>(out: &SeqFile) -> Result {
    let find = |name| {
        bench::Peer::all()
            .find(|peer| peer.name() == name)
            .ok_or(ENOENT)
    };
    let reference = find("limit")?.prepare(0, 1, REFERENCE_OPS)?;
    let reference = Arc::new(reference, GFP_KERNEL)?;

    // Ends the counts so far, which no line reports.
    bench::counted();
    for name in IN_C {
        let Ok(peer) = find(name) else {
            // The kernel was built without this peer.
            continue;
        };
        let first = Arc::new(peer.prepare(0, 1, P::OPS)?, GFP_KERNEL)?;
        let everywhere = P::MIXED && !peer.only_in_softirq();
        point::<P, _>(out, name, everywhere, &reference, || {
            Prepared::beside(&first)
        })?;
    }
    ours::<P, _>(out, &reference, Empty::prepare(0, 1)?)?;
    ours::<P, _>(out, &reference, Exclusive::prepare(0, 1)?)?;
    ours::<P, _>(out, &reference, pool::Miss::prepare(0, 1)?)?;
    ours::<P, _>(out, &reference, pool::ReserveAlone::prepare(0, RESERVE)?)?;
    ours::<P, _>(out, &reference, pool::Refused::prepare(0, RESERVE)?)?;
    // In each context an interrupted request may keep a page.
    ours::<P, _>(out, &reference, pool::Hit::prepare(0, 32)?)
}

fn ours<P: Plan, R: Peer + Clone>(out: &SeqFile, reference: &Arc<Prepared>, peer: R) -> Result {
    point::<P, _>(out, R::NAME, P::MIXED, reference, || {
        Ok(InRust {
            peer: peer.clone(),
            ops: P::OPS,
        })
    })
}

/// Measures one peer on all numbers of CPUs.
fn point<P: Plan, L: Load>(
    out: &SeqFile,
    name: &str,
    everywhere: bool,
    reference: &Arc<Prepared>,
    mut load: impl FnMut() -> Result<L>,
) -> Result {
    let probe = load()?;
    let online = with_task(|cx| HotplugGuard::new(cx).online().count())?;

    for round in 0..P::ROUNDS {
        for cpus in CPUS.into_iter().filter(|&cpus| cpus <= online) {
            let before = probe.turned_away();
            let done = together::<P, L>(cpus, everywhere, reference, &mut load)?;

            for (number, figure) in done.figures.iter().enumerate() {
                let (reference, sample) =
                    (figure.reference.load(Relaxed), figure.sample.load(Relaxed));
                if sample != 0 {
                    let context = Context::ALL[number % Context::ALL.len()].name();
                    seq_print!(
                        out,
                        "scale {name} {cpus} {round} {context} {} {}\n",
                        reference * 100 / REFERENCE_OPS as u64,
                        sample * 100 / P::OPS as u64
                    );
                }
            }
            if let (Some(before), Some(after)) = (before, probe.turned_away()) {
                let (away, requests) = (after.0 - before.0, after.1 - before.1);
                seq_print!(out, "away {name} {cpus} {round} {away} {requests}\n");
            }
            bench::counted();
            seq_print!(out, "shared {name} {cpus} {}\n", P::OPS);
        }
    }
    Ok(())
}

/// The work of all workers.
trait Load: Sized + Send + 'static {
    /// Gets and gives back all items of a sample. Returns whether there was always an item.
    fn run<C: PlainAlloc>(&mut self, cx: &C) -> bool;

    /// Returns the number of requests that were turned away, and of all requests, if the peer
    /// counts them.
    fn turned_away(&self) -> Option<(u64, u64)> {
        None
    }
}

impl Load for Prepared {
    #[inline]
    fn run<C: PlainAlloc>(&mut self, cx: &C) -> bool {
        Prepared::run(self, cx)
    }
}

struct InRust<R> {
    peer: R,
    ops: usize,
}

impl<R: Peer> Load for InRust<R> {
    #[inline]
    fn run<C: PlainAlloc>(&mut self, cx: &C) -> bool {
        self.peer.single(cx, self.ops)
    }

    fn turned_away(&self) -> Option<(u64, u64)> {
        self.peer.turned_away()
    }
}

/// The context of a worker.
#[derive(Clone, Copy)]
enum Context {
    Softirq,
    Task,
    HardIrq,
}

impl Context {
    const ALL: [Self; 3] = [Self::Softirq, Self::Task, Self::HardIrq];

    const fn name(self) -> &'static str {
        match self {
            Self::Softirq => "timer_softirq",
            Self::Task => "task",
            Self::HardIrq => "hard_irq",
        }
    }
}

/// The state that the workers and the task that waits for them share.
#[pin_data]
struct Round {
    /// The number of workers that do not have all their samples yet.
    missing: Atomic<i64>,
    failures: Atomic<u64>,
    stop: Atomic<i32>,
    /// The figures of all CPUs in turn, one for each context.
    figures: KVec<Figure>,
    #[pin]
    done: Completion,
}

/// The medians of a worker. They are 0 if there is no such worker.
struct Figure {
    reference: Atomic<u64>,
    sample: Atomic<u64>,
}

/// Runs all workers on a number of CPUs at once.
fn together<P: Plan, L: Load>(
    cpus: usize,
    everywhere: bool,
    reference: &Arc<Prepared>,
    load: &mut impl FnMut() -> Result<L>,
) -> Result<Arc<Round>> {
    let contexts = if everywhere { Context::ALL.len() } else { 1 };
    let mut figures = KVec::new();
    for _ in 0..cpus * Context::ALL.len() {
        let figure = Figure {
            reference: Atomic::new(0),
            sample: Atomic::new(0),
        };
        figures.push(figure, GFP_KERNEL)?;
    }
    let round = Arc::pin_init(
        pin_init!(Round {
            missing: Atomic::new((cpus * contexts) as i64),
            failures: Atomic::new(0),
            stop: Atomic::new(0),
            figures,
            done <- Completion::new(),
        }),
        GFP_KERNEL,
    )?;

    let mut team = KVec::new();
    {
        let hotplug = with_task(|cx| HotplugGuard::new(cx))?;
        for (number, cpu) in hotplug.online().take(cpus).enumerate() {
            let member = Member::start(cpu, everywhere, |context| {
                Ok(Worker {
                    load: load()?,
                    reference: Prepared::beside(reference)?,
                    references: KVec::from_elem(0, P::SAMPLES, GFP_KERNEL)?,
                    samples: KVec::from_elem(0, P::SAMPLES, GFP_KERNEL)?,
                    taken: 0,
                    in_a_row: P::IN_A_ROW,
                    place: number * Context::ALL.len() + context as usize,
                    round: round.clone(),
                })
            })?;
            team.push(member, GFP_KERNEL)?;
        }
    }

    round.done.wait_for_completion();
    round.stop.store(1, Relaxed);
    drop(team);
    if round.failures.load(Relaxed) != 0 {
        return Err(ENOMEM);
    }
    Ok(round)
}

type HardTimer<L> = Pin<KBox<Timer<Worker<L>, HardIrq>>>;

/// The workers of one CPU.
struct Member<L: Load> {
    _timer: Pin<KBox<Timer<Worker<L>>>>,
    _thread: Option<Thread<Worker<L>>>,
    _hard_timer: Option<HardTimer<L>>,
}

impl<L: Load> Member<L> {
    fn start(
        cpu: OnlineCpu<'_>,
        everywhere: bool,
        mut worker: impl FnMut(Context) -> Result<Worker<L>>,
    ) -> Result<Self> {
        let timer = <Timer<_>>::start_on(cpu, 0, worker(Context::Softirq)?);
        let timer = KBox::pin_init(timer, GFP_KERNEL)?;
        if !everywhere {
            return Ok(Self {
                _timer: timer,
                _thread: None,
                _hard_timer: None,
            });
        }
        let hard_timer = Timer::start_on(cpu, HARD_PERIOD_US, worker(Context::HardIrq)?);
        Ok(Self {
            _timer: timer,
            _hard_timer: Some(KBox::pin_init(hard_timer, GFP_KERNEL)?),
            _thread: Some(Thread::spawn_on(
                cpu,
                c"labyrinth/bench",
                worker(Context::Task)?,
            )?),
        })
    }
}

/// The shortest time between two hard interrupts of a CPU.
const HARD_PERIOD_US: u32 = 1000;

/// The time that a thread works before it sleeps. It must sleep, so that it can be stopped.
const THREAD_TURN_NS: u64 = 4_000_000;

/// A worker in one context on one CPU.
struct Worker<L> {
    load: L,
    reference: Prepared,
    references: KVec<u64>,
    samples: KVec<u64>,
    taken: usize,
    in_a_row: usize,
    place: usize,
    round: Arc<Round>,
}

impl<L: Load> Worker<L> {
    /// Takes one sample. If the worker has all samples, it only does the work.
    fn work<C: PlainAlloc>(&mut self, cx: &C) {
        // The first run finds cold caches and empty lists, so it is part of no sample.
        let mut worked = self.taken != 0 || self.load.run(cx);
        let start = clock();
        worked &= self.reference.run(cx);
        let middle = bench::begin();
        worked &= self.load.run(cx);
        let end = bench::end();

        if !worked {
            self.round.failures.fetch_add(1, Relaxed);
        }
        let taken = self.taken;
        if let (Some(reference), Some(sample)) = (
            self.references.get_mut(taken),
            self.samples.get_mut(taken), //
        ) {
            *reference = middle.wrapping_sub(start);
            *sample = end.wrapping_sub(middle);
            self.taken += 1;
            if self.taken == self.samples.len() {
                self.leave_figure();
            }
        }
    }

    fn leave_figure(&mut self) {
        let middle = self.taken / 2;
        timing::sort(&mut self.references);
        timing::sort(&mut self.samples);
        if let Some(figure) = self.round.figures.get(self.place) {
            figure.reference.store(self.references[middle], Relaxed);
            figure.sample.store(self.samples[middle], Relaxed);
        }
        if self.round.missing.fetch_sub(1, Full) == 1 {
            self.round.done.complete_all();
        }
    }

    fn next(&self, delay_us: u32) -> Next {
        if self.round.stop.load(Relaxed) != 0 {
            return Next::Stop;
        }
        Next::After(delay_us)
    }
}

impl<L: Load> Handler for Worker<L> {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        for _ in 0..self.in_a_row {
            self.work(&*cx);
        }
        self.next(0)
    }
}

impl<L: Load> Handler<HardIrq> for Worker<L> {
    fn expired(&mut self, cx: &mut HardIrq) -> Next {
        let start = Moment::now();
        self.work(&*cx);
        let took_us = Moment::now().nanos_since(start) / 1000;
        // Leave most of the time to other contexts, however slow this machine is.
        self.next(HARD_PERIOD_US.max(8 * took_us as u32))
    }
}

impl<L: Load> Body for Worker<L> {
    fn run(&mut self, thread: &mut Running) {
        loop {
            let start = Moment::now();
            while Moment::now().nanos_since(start) < THREAD_TURN_NS {
                // An interrupt during an access to a cache is turned away for as long as it runs,
                // not only for one request. Ordinary work seldom meets that, but this loop would
                // often.
                irqs_off(thread.context(), |cx| self.work(cx));
            }
            if thread.sleep_us(100) == ShouldStop::Yes {
                return;
            }
        }
    }
}
