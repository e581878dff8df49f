// SPDX-License-Identifier: GPL-2.0

//! A module of its own that uses labyrinth from Rust, for the tests: in a softirq (a soft hrtimer)
//! and in task context. What it came to is in `/sys/kernel/debug/labyrinth_consumer_rust/`.
//!
//! [`pool`] is what a driver would write once: safe types over `include/labyrinth.h`.

mod api;
mod pool;

use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    impl_has_hr_timer,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        ArcBorrow, //
    },
    time::{
        hrtimer::{
            ArcHrTimerHandle,
            HrTimer,
            HrTimerCallback,
            HrTimerCallbackContext,
            HrTimerPointer,
            HrTimerRestart,
            RelativePinnedSoftMode, //
        },
        Delta,
        Monotonic, //
    }, //
};
use pool::{
    Block,
    Pool, //
};

module! {
    type: Consumer,
    name: "labyrinth_consumer_rust",
    authors: ["The labyrinth developers"],
    description: "Uses labyrinth from Rust, for its tests",
    license: "GPL",
}

/// The order of the blocks.
const ORDER: u32 = 1;
/// Blocks that the softirq asks for each time.
const BULK: usize = 8;
/// The timer's period.
const PERIOD: Delta = Delta::from_millis(2);
/// What task context does once, when the module is loaded.
const TASK_ROUNDS: usize = 1000;

/// What the use came to.
struct Tally {
    softirq_blocks: Atomic<u64>,
    task_blocks: Atomic<u64>,
    failures: Atomic<u64>,
    corruptions: Atomic<u64>,
}

impl Tally {
    const fn new() -> Self {
        Self {
            softirq_blocks: Atomic::new(0),
            task_blocks: Atomic::new(0),
            failures: Atomic::new(0),
            corruptions: Atomic::new(0),
        }
    }

    /// Writes to a block all over and reads it again.
    fn exercise(&self, block: Option<Block<'_>>, blocks: &Atomic<u64>) {
        let Some(mut block) = block else {
            self.failures.add(1, Relaxed);
            return;
        };
        let value = blocks.fetch_add(1, Relaxed) as u8;
        let bytes = block.fill(value);
        if !bytes.iter().all(|&byte| byte == value) {
            self.corruptions.add(1, Relaxed);
        }
    }
}

/// What the timer works on.
#[pin_data]
struct Tick {
    #[pin]
    timer: HrTimer<Self>,
    pool: Pool,
    tally: Tally,
}

impl HrTimerCallback for Tick {
    type Pointer<'a> = Arc<Self>;

    fn run(this: ArcBorrow<'_, Self>, mut cx: HrTimerCallbackContext<'_, Self>) -> HrTimerRestart {
        let tally = &this.tally;

        tally.exercise(this.pool.alloc(), &tally.softirq_blocks);
        this.pool.alloc_bulk::<BULK>(|block| {
            tally.exercise(Some(block), &tally.softirq_blocks);
        });
        cx.forward_now(PERIOD);
        HrTimerRestart::Restart
    }
}

impl_has_hr_timer! {
    impl HasHrTimer<Self> for Tick {
        mode: RelativePinnedSoftMode<Monotonic>, field: self.timer
    }
}

/// The loaded module. The timer stops before the rest goes.
struct Consumer {
    _timer: ArcHrTimerHandle<Tick>,
    _files: Pin<KBox<Files>>,
    _folder: Dir,
}

/// The files.
#[pin_data]
struct Files {
    #[pin]
    softirq_blocks: File<Shown>,
    #[pin]
    task_blocks: File<Shown>,
    #[pin]
    failures: File<Shown>,
    #[pin]
    corruptions: File<Shown>,
}

/// One number of the tally.
struct Shown(Arc<Tick>, fn(&Tally) -> &Atomic<u64>);

impl core::fmt::Debug for Shown {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", (self.1)(&self.0.tally).load(Relaxed))
    }
}

impl kernel::Module for Consumer {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let pool = Pool::new(c"consumer_rust", ORDER)?;
        let tick = Arc::pin_init(
            pin_init!(Tick {
                timer <- HrTimer::new(),
                pool,
                tally: Tally::new(),
            }),
            GFP_KERNEL,
        )?;

        tick.pool.prime(BULK);
        for _ in 0..TASK_ROUNDS {
            tick.tally
                .exercise(tick.pool.alloc(), &tick.tally.task_blocks);
        }

        let folder = Dir::new(c"labyrinth_consumer_rust");
        let dir = &folder;
        let shown = |number| Shown(tick.clone(), number);
        let files = KBox::pin_init(
            pin_init!(Files {
                softirq_blocks <- dir
                    .read_only_file(c"softirq_blocks", shown(|tally| &tally.softirq_blocks)),
                task_blocks <- dir
                    .read_only_file(c"task_blocks", shown(|tally| &tally.task_blocks)),
                failures <- dir.read_only_file(c"failures", shown(|tally| &tally.failures)),
                corruptions <- dir
                    .read_only_file(c"corruptions", shown(|tally| &tally.corruptions)),
            }),
            GFP_KERNEL,
        )?;

        Ok(Self {
            _timer: tick.start(PERIOD),
            _files: files,
            _folder: folder,
        })
    }
}
