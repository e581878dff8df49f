// SPDX-License-Identifier: GPL-2.0

//! Allocates under a spinlock that task context and the timer softirq share: each CPU has a lock,
//! and a thread and a timer that take it.

use super::{
    cycle::Cycle,
    in_flight::InFlight,
    pace::Pace,
    Resources,
    Setting,
    Workload, //
};
use kernel::{
    prelude::*,
    static_lock_class,
    sync::Arc, //
};
use labyrinth::{
    call_site,
    context::Softirq,
    cpu::OnlineCpu,
    stats::{
        Kind,
        Recorder, //
    },
    sync::SpinLockBh,
    task::{
        Body,
        Running,
        ShouldStop,
        Thread, //
    },
    time::{
        Handler,
        Next,
        Timer, //
    },
    GfpAtomic,
    NoWarn, //
};

/// The exercise on one CPU.
pub(crate) struct Spinlock {
    _timer: Pin<KBox<Timer<SoftirqSide>>>,
    _thread: Thread<TaskSide>,
}

impl Workload for Spinlock {
    const NAME: &'static CStr = c"labyrinth/spinlock";

    fn start_on(cpu: OnlineCpu<'_>, means: &Arc<Resources>) -> Result<Self> {
        let recorder = Recorder::new(means.stats.clone(), Kind::Spinlock);
        let who = 2 * cpu.number();
        let held = Held {
            by_task: InFlight::new(
                NoWarn(GfpAtomic),
                recorder.clone(),
                who,
                call_site!(spinlock_task),
            )?,
            by_softirq: InFlight::new(
                NoWarn(GfpAtomic),
                recorder,
                who + 1,
                call_site!(spinlock_softirq),
            )?,
        };
        let shared = Arc::pin_init(
            try_pin_init!(Shared {
                held <- SpinLockBh::new(held, c"labyrinth_held", static_lock_class!()),
                means: means.clone(),
            }? Error),
            GFP_KERNEL,
        )?;

        let thread = Thread::spawn_on(cpu, Self::NAME, TaskSide(shared.clone()))?;
        let side = SoftirqSide {
            shared,
            cycle: Cycle::default(),
        };
        let timer = Timer::start_on(cpu, means.settings.get(Setting::PeriodUs), side);

        Ok(Self {
            _timer: KBox::pin_init(timer, GFP_KERNEL)?,
            _thread: thread,
        })
    }
}

/// What the two sides share.
#[pin_data]
struct Shared {
    #[pin]
    held: SpinLockBh<Held>,
    means: Arc<Resources>,
}

/// What the lock protects.
struct Held {
    by_task: InFlight<NoWarn<GfpAtomic>>,
    by_softirq: InFlight<NoWarn<GfpAtomic>>,
}

/// The side in task context: holds its batch between two critical sections, if at all.
struct TaskSide(Arc<Shared>);

impl Body for TaskSide {
    fn run(&mut self, thread: &mut Running) {
        let Shared { held, means } = &*self.0;
        let settings = &means.settings;

        loop {
            let pace = Pace::begin();
            let hold_us = settings.hold_us();

            held.with(thread.context(), |cx, held| {
                held.by_task.begin(cx, settings, means.supply());
                if hold_us == 0 {
                    held.by_task.finish(cx, means.supply());
                }
            });
            if hold_us != 0 {
                let wish = thread.sleep_us(hold_us);
                held.with(thread.context(), |cx, held| {
                    held.by_task.finish(cx, means.supply());
                });
                if wish == ShouldStop::Yes {
                    return;
                }
            }
            if thread.sleep_us(pace.rest_us(settings, hold_us)) == ShouldStop::Yes {
                return;
            }
        }
    }
}

/// The side in the timer softirq, which interrupts the other side between its sections. On
/// PREEMPT_RT this side is a thread, and may have to wait for the other one.
struct SoftirqSide {
    shared: Arc<Shared>,
    cycle: Cycle,
}

impl Handler for SoftirqSide {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        let Shared { held, means } = &*self.shared;
        let settings = &means.settings;

        let cycle = &mut self.cycle;
        let next = held.with(cx, |cx, held| {
            cycle.expired(
                settings,
                1,
                &mut held.by_softirq,
                |holder| holder.begin(cx, settings, means.supply()),
                |holder| holder.finish(cx, means.supply()),
            )
        });
        Next::After(next)
    }
}
