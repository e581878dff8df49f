// SPDX-License-Identifier: GPL-2.0

//! Allocates under a spinlock that task context and the timer softirq share: each CPU has a lock,
//! and a thread and a timer that take it.

use super::{
    control::Resources,
    in_flight::InFlight,
    side::{
        Cycles,
        Side,
        Step,
        ThreadOf,
        TimerOf, //
    },
    Workload, //
};
use kernel::{
    prelude::*,
    static_lock_class,
    sync::Arc, //
};
use labyrinth::{
    call_site,
    context::{
        Softirq,
        Task, //
    },
    cpu::OnlineCpu,
    sync::SpinLockBh,
    Gfp,
    GfpAtomic,
    NoWarn, //
};

/// The exercise on one CPU.
pub(super) struct Spinlock {
    _timer: Pin<KBox<TimerOf<SoftirqSide>>>,
    _thread: ThreadOf<TaskSide>,
}

impl Workload for Spinlock {
    const FLAGS: &'static [&'static str] = &[GfpAtomic::NAME];

    fn start_on(cpu: OnlineCpu<'_>, resources: &Arc<Resources>) -> Result<Self> {
        let number = 2 * cpu.number();
        // One line for each, because /proc/allocinfo tells callers apart by their lines.
        let by_task = call_site!(spinlock_task);
        let by_softirq = call_site!(spinlock_softirq);
        let held = Held {
            by_task: InFlight::new(NoWarn(GfpAtomic), resources, number, by_task)?,
            by_softirq: InFlight::new(NoWarn(GfpAtomic), resources, number + 1, by_softirq)?,
        };
        let held = Arc::pin_init(
            SpinLockBh::new(held, c"labyrinth_held", static_lock_class!()),
            GFP_KERNEL,
        )?;

        let thread = Cycles::new(resources, TaskSide(held.clone())).thread_on(cpu)?;
        Ok(Self {
            _timer: Cycles::new(resources, SoftirqSide(held)).timer_on(cpu)?,
            _thread: thread,
        })
    }
}

/// The batches that the lock protects.
struct Held {
    by_task: InFlight<NoWarn<GfpAtomic>>,
    by_softirq: InFlight<NoWarn<GfpAtomic>>,
}

/// The side in task context. Each step is a critical section.
struct TaskSide(Arc<SpinLockBh<Held>>);

impl Side for TaskSide {
    type Context = Task;

    fn step(&mut self, cx: &mut Task, step: Step) {
        self.0.with(cx, |cx, held| held.by_task.step(cx, step));
    }
}

/// The side in the timer softirq, which interrupts the other side between its sections. On
/// PREEMPT_RT this side is a thread, and may have to wait for the other one.
struct SoftirqSide(Arc<SpinLockBh<Held>>);

impl Side for SoftirqSide {
    type Context = Softirq;

    fn step(&mut self, cx: &mut Softirq, step: Step) {
        self.0.with(cx, |cx, held| held.by_softirq.step(cx, step));
    }
}
