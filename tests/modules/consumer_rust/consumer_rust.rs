// SPDX-License-Identifier: GPL-2.0

//! A driver in Rust for the tests. It uses labyrinth in a softirq and in task context, and its
//! counts are in labyrinth's file `metrics`.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
    time::{
        Instant,
        Monotonic, //
    }, //
};
use labyrinth::{
    context::{
        with_task,
        PlainAlloc,
        Softirq,
        Task, //
    },
    cpu::HotplugGuard,
    pool::{
        PoolConfig,
        Priority,
        RegisteredPool,
        Request, //
    },
    stats::{
        Label,
        LatencyHistogram,
        Registration,
        Row, //
    },
    time::{
        Handler,
        Next,
        Timer, //
    },
    ExclusivePages,
    Pool,
    Uninit, //
};

module! {
    type: Consumer,
    name: "labyrinth_consumer_rust",
    authors: ["The labyrinth developers"],
    description: "Uses labyrinth from Rust, for its tests",
    license: "GPL",
}

labyrinth::import!();

type Pages = ExclusivePages<Uninit>;

/// Blocks that the softirq asks for each time.
const BULK: usize = 8;
/// The timer's period.
const PERIOD_US: u32 = 2000;
/// The number of blocks that are requested in task context when the module is loaded.
const TASK_ROUNDS: usize = 1000;

/// The counts.
struct Tally {
    softirq_blocks: Count,
    task_blocks: Count,
    failures: Count,
    corruptions: Count,
    /// How long requests for one block take, in task context and in the softirq.
    latencies: [LatencyHistogram; 2],
}

impl Tally {
    fn new() -> Result<Self> {
        Ok(Self {
            softirq_blocks: Count::default(),
            task_blocks: Count::default(),
            failures: Count::default(),
            corruptions: Count::default(),
            latencies: [LatencyHistogram::new()?, LatencyHistogram::new()?],
        })
    }
}

static ROWS: [Row<Tally>; 5] = [
    Row::counter(
        "softirq_blocks",
        "Blocks that the softirq was given.",
        &[],
        |tally, _| tally.softirq_blocks.get(),
    ),
    Row::counter(
        "task_blocks",
        "Blocks that task context was given.",
        &[],
        |tally, _| tally.task_blocks.get(),
    ),
    Row::counter("failures", "Requests that failed.", &[], |tally, _| {
        tally.failures.get()
    }),
    Row::counter(
        "corruptions",
        "Blocks that did not hold what was written to them.",
        &[],
        |tally, _| tally.corruptions.get(),
    ),
    Row::histogram(
        "request_seconds",
        "Latency of requests for one block.",
        &[Label::new("context", &["task", "softirq"])],
        |tally, [context, ..]| tally.latencies.get(context),
    ),
];

/// One number.
struct Count(Atomic<u64>);

impl Default for Count {
    fn default() -> Self {
        Self(Atomic::new(0))
    }
}

impl Count {
    /// Adds one, and returns the previous count.
    fn one(&self) -> u64 {
        self.0.fetch_add(1, Relaxed)
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Uses the pool, and counts what happens.
struct User {
    pool: Arc<RegisteredPool>,
    tally: Arc<Tally>,
}

impl User {
    /// Asks for one block and uses it.
    fn single<C: PlainAlloc>(&self, cx: &C, blocks: &Count, latency: &LatencyHistogram) {
        let began = Instant::<Monotonic>::now();
        let block = self.pool.get(cx, &mut Request::new(Priority::High));
        latency.record(began.elapsed());
        match block {
            Some(pages) => self.exercise(cx, pages, blocks),
            None => {
                self.tally.failures.one();
            }
        }
    }

    /// Asks for many blocks at once, uses those that it gets, and gives them back at once. `batch`
    /// is empty, and has room for them.
    fn bulk<C: PlainAlloc>(&self, cx: &C, batch: &mut KVec<Pages>, blocks: &Count) {
        let got = self.pool.get_into(cx, Priority::High, batch);
        if got != batch.len() {
            self.tally.corruptions.one();
        }
        let used = batch.drain_all().map(|pages| self.used(pages, blocks));
        self.pool.put_bulk(cx, used);
    }

    /// Uses a block, and gives it back.
    fn exercise<C: PlainAlloc>(&self, cx: &C, pages: Pages, blocks: &Count) {
        self.pool.put(cx, self.used(pages, blocks));
    }

    /// Fills a block, and verifies it.
    fn used(&self, pages: Pages, blocks: &Count) -> Pages {
        let value = blocks.one() as u8;
        let mut pages = pages.zeroed();

        pages.as_flattened_mut().fill(value);
        if !pages.as_flattened().iter().all(|&byte| byte == value) {
            self.tally.corruptions.one();
        }
        pages.into_uninit()
    }
}

/// The part of the module that works in the timer softirq.
struct Ticker {
    user: User,
    batch: KVec<Pages>,
}

impl Handler for Ticker {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        let Self { user, batch } = self;
        let blocks = &user.tally.softirq_blocks;
        user.single(cx, blocks, &user.tally.latencies[1]);
        user.bulk(cx, batch, blocks);
        Next::After(PERIOD_US)
    }
}

/// The loaded module.
struct Consumer {
    _timer: Pin<KBox<Timer<Ticker>>>,
    _statistics: Registration,
}

impl Consumer {
    fn start(cx: &mut Task) -> Result<Self> {
        let config = PoolConfig {
            order: 1,
            cache: 16,
            reserve: 32,
            emergency: 8,
            ..PoolConfig::default()
        };
        let tally = Arc::new(Tally::new()?, GFP_KERNEL)?;
        let user = User {
            pool: Pool::new(cx, c"consumer_rust", config)?,
            tally: tally.clone(),
        };

        user.pool.prime(cx, BULK);
        for _ in 0..TASK_ROUNDS {
            user.single(cx, &tally.task_blocks, &tally.latencies[0]);
        }

        let ticker = Ticker {
            user,
            batch: KVec::with_capacity(BULK, GFP_KERNEL)?,
        };
        let statistics = Registration::new(&[&ROWS], None, tally)?;
        let hotplug = HotplugGuard::new(cx);
        let cpu = hotplug.online().next().ok_or(ENODEV)?;
        Ok(Self {
            _timer: KBox::pin_init(Timer::start_on(cpu, PERIOD_US, ticker), GFP_KERNEL)?,
            _statistics: statistics,
        })
    }
}

impl kernel::Module for Consumer {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        with_task(Self::start)?
    }
}
