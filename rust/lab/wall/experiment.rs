// SPDX-License-Identifier: GPL-2.0

//! The contestants and their bursts.

use super::{
    bulk::Bulk,
    burst::{
        Job,
        Work, //
    },
    chain::{
        Chain,
        Fate, //
    },
    contestant::Contestant,
    plain::Plain,
    record::Record,
    runner::{
        in_softirq,
        in_task,
        Home, //
    },
    sized::Sized, //
};
use crate::ffi::mempool::Mempool;
use core::ops::RangeInclusive;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use labyrinth::{
    context::{
        Softirq,
        Task, //
    },
    mm,
    time::Moment,
    GfpAtomic,
    GfpKernel,
    GfpNoWait,
    NoWarn, //
};

/// The largest burst, in pages.
const MAX_PAGES: u32 = 32_768;

/// The longest time that a reserve may take to be full again, in nanoseconds.
const PATIENCE: u64 = 10_000_000_000;

/// The contestants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// `GFP_KERNEL`, in task context.
    Kernel,
    /// `GFP_NOWAIT`.
    NoWait,
    /// `GFP_ATOMIC`.
    Atomic,
    /// `GFP_ATOMIC`, 64 pages at a time.
    Bulk,
    /// A mempool, with `GFP_ATOMIC`, whose reserve is as large as a burst.
    Mempool,
    /// A pool whose reserve is as large as a burst.
    Labyrinth,
    /// Like `Labyrinth`, but its pages do not come back to the pool.
    LabyrinthConsumed,
}

impl Name {
    /// All contestants.
    pub(crate) const ALL: [Self; 7] = [
        Self::Kernel,
        Self::NoWait,
        Self::Atomic,
        Self::Bulk,
        Self::Mempool,
        Self::Labyrinth,
        Self::LabyrinthConsumed,
    ];

    /// Returns the name in reports and control files.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::NoWait => "nowait",
            Self::Atomic => "atomic",
            Self::Bulk => "bulk",
            Self::Mempool => "mempool",
            Self::Labyrinth => "labyrinth",
            Self::LabyrinthConsumed => "labyrinth_consumed",
        }
    }

    /// Returns the name of the context in which the contestant works.
    pub(crate) const fn context(self) -> &'static str {
        match self {
            Self::Kernel => "task",
            _ => "timer_softirq",
        }
    }
}

/// All contestants, made for bursts of the same size.
struct Field {
    pages: u32,
    kernel: Arc<Home<Plain<NoWarn<GfpKernel>>>>,
    nowait: Arc<Home<Plain<NoWarn<GfpNoWait>>>>,
    atomic: Arc<Home<Plain<NoWarn<GfpAtomic>>>>,
    bulk: Arc<Home<Bulk>>,
    mempool: Arc<Home<Mempool>>,
    labyrinth: Arc<Home<Chain>>,
    labyrinth_consumed: Arc<Home<Chain>>,
}

impl Field {
    fn new(cx: &Task, pages: u32) -> Result<Self> {
        let most = pages as usize;
        let chain = |name, fate| Home::new(Chain::new(cx, name, most, fate)?);

        let field = Self {
            pages,
            kernel: Home::new(Plain::new(NoWarn(GfpKernel), most)?)?,
            nowait: Home::new(Plain::new(NoWarn(GfpNoWait), most)?)?,
            atomic: Home::new(Plain::new(NoWarn(GfpAtomic), most)?)?,
            bulk: Home::new(Bulk::new(most)?)?,
            mempool: Home::new(Mempool::new(pages, most)?)?,
            labyrinth: chain(c"wall", Fate::Return)?,
            labyrinth_consumed: chain(c"wall_consumed", Fate::Consume)?,
        };
        for home in [&field.labyrinth, &field.labyrinth_consumed] {
            until_full(home)?.ok_or(ENOMEM)?;
        }
        Ok(field)
    }

    fn work(&self, cx: &Task, name: Name, work: Work) -> Result {
        match name {
            Name::Kernel => in_task(cx, &self.kernel, work),
            Name::NoWait => in_softirq(cx, &self.nowait, work),
            Name::Atomic => in_softirq(cx, &self.atomic, work),
            Name::Bulk => in_softirq(cx, &self.bulk, work),
            Name::Mempool => in_softirq(cx, &self.mempool, work),
            Name::Labyrinth => in_softirq(cx, &self.labyrinth, work),
            Name::LabyrinthConsumed => in_softirq(cx, &self.labyrinth_consumed, work),
        }
    }

    /// Waits until the reserve is full again, and records how long that took. Nothing here requests
    /// the refill.
    fn recover(&self, name: Name) -> Result {
        match name {
            Name::Kernel | Name::NoWait | Name::Atomic | Name::Bulk => Ok(()),
            Name::Mempool => recover(&self.mempool),
            Name::Labyrinth => recover(&self.labyrinth),
            Name::LabyrinthConsumed => recover(&self.labyrinth_consumed),
        }
    }

    fn with_record<R>(&self, name: Name, look: impl FnOnce(&Record) -> R) -> Result<R> {
        match name {
            Name::Kernel => self.kernel.with(|job| look(&job.record)),
            Name::NoWait => self.nowait.with(|job| look(&job.record)),
            Name::Atomic => self.atomic.with(|job| look(&job.record)),
            Name::Bulk => self.bulk.with(|job| look(&job.record)),
            Name::Mempool => self.mempool.with(|job| look(&job.record)),
            Name::Labyrinth => self.labyrinth.with(|job| look(&job.record)),
            Name::LabyrinthConsumed => self.labyrinth_consumed.with(|job| look(&job.record)),
        }
    }
}

/// Waits until the reserve of a contestant is full, and returns how long that took in nanoseconds,
/// or [`None`] if it took too long. Task context only, sleeps.
fn until_full<T: Contestant<Softirq>>(home: &Home<T>) -> Result<Option<u64>> {
    let begin = Moment::now();

    loop {
        let waited = Moment::now().nanos_since(begin);
        let level = home.with(|job| job.contestant.level())?;

        if level.is_none_or(|level| level.now >= level.full) {
            return Ok(Some(waited));
        }
        if waited >= PATIENCE {
            return Ok(None);
        }
        fsleep(Delta::from_millis(1));
    }
}

/// Like [`Field::recover`], for one contestant.
fn recover<T: Contestant<Softirq>>(home: &Home<T>) -> Result {
    let waited = until_full(home)?;

    home.with(|Job { contestant, record }| {
        if let Some(level) = contestant.level() {
            record.recovery(level.full, waited);
        }
    })
}

/// The experiment. It holds no memory until it is prepared.
#[pin_data]
pub(crate) struct Experiment {
    #[pin]
    field: Mutex<Option<Field>>,
    #[pin]
    sized: Sized,
}

impl Experiment {
    /// The sizes of bursts for which it can be prepared; 0 frees the memory.
    pub(crate) const BOUNDS: RangeInclusive<u64> = 0..=MAX_PAGES as u64;

    /// Makes an experiment that is not prepared.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            field <- new_mutex!(None),
            sized <- Sized::new(),
        })
    }

    /// Returns the part about a reserve that sizes itself.
    pub(crate) fn sized(&self) -> &Sized {
        &self.sized
    }

    /// Makes new contestants for bursts of `pages` pages, with full reserves as large as a burst
    /// and empty records. 0 frees all memory. Sleeps.
    ///
    /// Fails with `ERANGE` for a number out of bounds, `ENODEV` if the kernel does not count
    /// allocations, and `ENOMEM` if the reserves could not be filled.
    pub(crate) fn prepare(&self, cx: &Task, pages: u64) -> Result {
        if !Self::BOUNDS.contains(&pages) {
            return Err(ERANGE);
        }
        if !mm::allocations_counted() {
            pr_err!("emergency pages cannot be counted without CONFIG_VM_EVENT_COUNTERS\n");
            return Err(ENODEV);
        }

        let mut field = self.field.lock();
        // Free the old ones first: there may not be enough memory for two sets of reserves.
        *field = None;
        if pages != 0 {
            *field = Some(Field::new(cx, pages as u32)?);
        }
        Ok(())
    }

    /// Returns the size of bursts that it is prepared for, or 0. Task context only, may sleep.
    pub(crate) fn pages(&self) -> u32 {
        self.field.lock().as_ref().map_or(0, |field| field.pages)
    }

    /// Runs one burst, then waits until the reserve is full again. Sleeps.
    ///
    /// Fails with `ENXIO` if the experiment is not prepared.
    pub(crate) fn burst(&self, cx: &Task, name: Name) -> Result {
        self.with_field(|field| {
            field.work(cx, name, Work::Burst(field.pages))?;
            field.recover(name)
        })
    }

    /// Takes another eighth of a burst and keeps it, up to one burst in total. The next burst or
    /// [`Self::release`] gives it back. Sleeps.
    ///
    /// Fails with `ENXIO` if the experiment is not prepared.
    pub(crate) fn hold(&self, cx: &Task, name: Name) -> Result {
        self.with_field(|field| field.work(cx, name, Work::Hold(field.pages.div_ceil(8))))
    }

    /// Gives back the pages that are held. Sleeps.
    ///
    /// Fails with `ENXIO` if the experiment is not prepared.
    pub(crate) fn release(&self, cx: &Task, name: Name) -> Result {
        self.with_field(|field| field.work(cx, name, Work::Release))
    }

    fn with_field<R>(&self, f: impl FnOnce(&Field) -> Result<R>) -> Result<R> {
        f(self.field.lock().as_ref().ok_or(ENXIO)?)
    }

    /// Calls `look` with the record of a contestant. Task context only, may sleep.
    ///
    /// Fails with `ENXIO` if the experiment is not prepared.
    pub(crate) fn with_record<R>(&self, name: Name, look: impl FnOnce(&Record) -> R) -> Result<R> {
        self.with_field(|field| field.with_record(name, look))
    }
}
