// SPDX-License-Identifier: GPL-2.0

//! Allocates where the allocator may not be entered the ordinary way: each CPU has a timer that
//! works in a hard interrupt, and a thread that works with interrupts disabled.

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
    sync::Arc, //
};
use labyrinth::{
    call_site,
    context,
    cpu::OnlineCpu,
    irq::irqs_off,
    stats::{
        Kind,
        Recorder, //
    },
    task::{
        Body,
        Running,
        ShouldStop,
        Thread, //
    },
    time::{
        HardHandler,
        HardTimer,
        Next, //
    },
    GfpNoLock, //
};

/// The exercise on one CPU.
pub(crate) struct HardIrq {
    _timer: Pin<KBox<HardTimer<Tick>>>,
    _thread: Thread<TaskSide>,
}

/// A timer rests at least this many times as long as it worked. Nothing can take the CPU from an
/// interrupt, so the timer leaves most of it to others.
const SHARE: u32 = 4;

impl Workload for HardIrq {
    const NAME: &'static CStr = c"labyrinth/hard_irq";

    fn start_on(cpu: OnlineCpu<'_>, means: &Arc<Resources>) -> Result<Self> {
        let recorder = Recorder::new(means.stats.clone(), Kind::HardIrq);
        let who = 2 * cpu.number();
        let side = TaskSide {
            means: means.clone(),
            holder: InFlight::new(GfpNoLock, recorder.clone(), who, call_site!(irqs_off))?,
        };
        let tick = Tick {
            means: means.clone(),
            holder: InFlight::new(GfpNoLock, recorder, who + 1, call_site!(hard_irq))?,
            cycle: Cycle::default(),
        };
        let thread = Thread::spawn_on(cpu, c"labyrinth/irqsoff", side)?;
        let timer = HardTimer::start_on(cpu, means.settings.get(Setting::PeriodUs), tick);

        Ok(Self {
            _timer: KBox::pin_init(timer, GFP_KERNEL)?,
            _thread: thread,
        })
    }
}

/// What one CPU's timer works on.
struct Tick {
    means: Arc<Resources>,
    holder: InFlight<GfpNoLock>,
    cycle: Cycle,
}

impl HardHandler for Tick {
    fn expired(&mut self, cx: &mut context::HardIrq) -> Next {
        let settings = &self.means.settings;
        let supply = self.means.supply();
        Next::After(self.cycle.expired(
            settings,
            SHARE,
            &mut self.holder,
            |holder| holder.begin(&*cx, settings, supply),
            |holder| holder.finish(&*cx, supply),
        ))
    }
}

/// The side in task context. If it holds its batch, it does so between two sections with interrupts
/// disabled.
struct TaskSide {
    means: Arc<Resources>,
    holder: InFlight<GfpNoLock>,
}

impl Body for TaskSide {
    fn run(&mut self, thread: &mut Running) {
        let Self { means, holder } = self;
        let settings = &means.settings;

        loop {
            let pace = Pace::begin();
            let hold_us = settings.hold_us();

            irqs_off(thread.context(), |cx| {
                holder.begin(cx, settings, means.supply());
                if hold_us == 0 {
                    holder.finish(cx, means.supply());
                }
            });
            if hold_us != 0 {
                let wish = thread.sleep_us(hold_us);
                irqs_off(thread.context(), |cx| {
                    holder.finish(cx, means.supply());
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
