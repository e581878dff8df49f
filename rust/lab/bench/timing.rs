// SPDX-License-Identifier: GPL-2.0

//! The timing of samples in the timer softirq.

use crate::ffi::bench::clock;
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Completion, //
    }, //
};
use labyrinth::{
    context::{
        with_task,
        Softirq, //
    },
    cpu::HotplugGuard,
    time::{
        Handler,
        Next,
        Timer, //
    }, //
};

/// The result of all samples, in units of [`clock`].
pub(super) struct Figure {
    /// The smallest sample.
    pub(super) best: u64,
    /// The upper median.
    pub(super) median: u64,
    /// The largest sample.
    pub(super) worst: u64,
}

/// Times `work` in the timer softirq of one CPU, `samples` times. Task context only, sleeps.
///
/// `work` returns whether it could do its work. If it could not, this fails with `ENOMEM`.
pub(super) fn time<W>(samples: usize, work: W) -> Result<Figure>
where
    W: FnMut(&mut Softirq) -> bool + Send + 'static,
{
    let outcome = Arc::pin_init(Outcome::new(), GFP_KERNEL)?;
    let job = Job {
        work,
        samples: KVec::from_elem(0, samples, GFP_KERNEL)?,
        outcome: outcome.clone(),
    };
    let hotplug = with_task(|cx| HotplugGuard::new(cx))?;
    let cpu = hotplug.online().next().ok_or(ENODEV)?;
    let timer = KBox::pin_init(Timer::start_on(cpu, 0, job), GFP_KERNEL)?;

    outcome.done.wait_for_completion();
    // A peer that frees a kmem_cache takes the same lock again, which can deadlock.
    drop(hotplug);
    // The timer owns the peer's resources, which must be freed here, in task context.
    drop(timer);
    outcome.figure()
}

/// The results that the timer leaves for the task that waits for it.
#[pin_data]
struct Outcome {
    best: Atomic<u64>,
    median: Atomic<u64>,
    worst: Atomic<u64>,
    failures: Atomic<u64>,
    #[pin]
    done: Completion,
}

impl Outcome {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            best: Atomic::new(0),
            median: Atomic::new(0),
            worst: Atomic::new(0),
            failures: Atomic::new(0),
            done <- Completion::new(),
        })
    }

    fn figure(&self) -> Result<Figure> {
        if self.failures.load(Relaxed) != 0 {
            return Err(ENOMEM);
        }
        Ok(Figure {
            best: self.best.load(Relaxed),
            median: self.median.load(Relaxed),
            worst: self.worst.load(Relaxed),
        })
    }
}

struct Job<W> {
    work: W,
    samples: KVec<u64>,
    outcome: Arc<Outcome>,
}

impl<W: FnMut(&mut Softirq) -> bool + Send + 'static> Handler for Job<W> {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        let mut failures = 0;

        // The first run finds cold caches and empty lists, so it is no sample.
        failures += u64::from(!(self.work)(cx));
        for sample in &mut self.samples {
            let start = clock();
            let worked = (self.work)(cx);
            *sample = clock().wrapping_sub(start);
            failures += u64::from(!worked);
        }

        sort(&mut self.samples);
        let middle = self.samples.len() / 2;
        let at = |i: usize| self.samples.get(i).copied().unwrap_or(0);
        self.outcome.best.store(at(0), Relaxed);
        self.outcome.median.store(at(middle), Relaxed);
        self.outcome
            .worst
            .store(at(self.samples.len().saturating_sub(1)), Relaxed);
        self.outcome.failures.store(failures, Relaxed);
        self.outcome.done.complete_all();
        Next::Stop
    }
}

/// Sorts a few numbers.
pub(super) fn sort(numbers: &mut [u64]) {
    for end in 1..numbers.len() {
        for i in (0..end).rev() {
            if numbers[i] <= numbers[i + 1] {
                break;
            }
            numbers.swap(i, i + 1);
        }
    }
}
