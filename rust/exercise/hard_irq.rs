// SPDX-License-Identifier: GPL-2.0

//! Allocates where the allocator may not be entered the ordinary way: in a hard interrupt, by a timer
//! on each CPU that is online at the start, and in a thread with interrupts disabled.

use super::{
    cycle::Cycle,
    holder::Holder,
    pace::Pace,
    Means,
    Setting,
    Workload, //
};
use crate::{
    ffi::{
        call_site::call_site,
        context,
        cpu::HotplugGuard,
        hard_timer::{
            HardHandler,
            HardTimer, //
        },
        irq::irqs_off,
        thread::{
            Body,
            Running,
            Thread,
            Wish, //
        },
        timer::Next, //
    },
    page::NoLock,
    stats::{
        Kind,
        Recorder, //
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The exercise while it runs.
pub(crate) struct HardIrq {
    _timers: KVec<Pin<KBox<HardTimer<Tick>>>>,
    _thread: Thread<TaskSide>,
}

/// Stands for the thread where a CPU stands for its timer; no CPU has this number.
const THREAD: u32 = 0xff_ffff;

impl Workload for HardIrq {
    fn start(cx: &context::Task, means: &Arc<Means>) -> Result<Self> {
        let recorder = Recorder::new(means.stats.clone(), Kind::HardIrq);
        let side = TaskSide {
            means: means.clone(),
            holder: Holder::new(NoLock, recorder.clone(), THREAD, call_site!(irqs_off))?,
        };
        let thread = Thread::spawn(c"labyrinth/irqsoff", side)?;

        let mut timers = KVec::new();
        let hotplug = HotplugGuard::new(cx);
        // Should all timers end up on one CPU, they leave half of it to others, who could not take it
        // from an interrupt.
        let share = 2 * hotplug.online().count() as u32;

        for cpu in hotplug.online() {
            let tick = Tick {
                means: means.clone(),
                share,
                holder: Holder::new(NoLock, recorder.clone(), cpu.number(), call_site!(hard_irq))?,
                cycle: Cycle::default(),
            };
            let timer = HardTimer::start_on(cpu, means.settings.get(Setting::PeriodUs), tick);
            timers.push(KBox::pin_init(timer, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self {
            _timers: timers,
            _thread: thread,
        })
    }
}

/// What one CPU's timer works on.
struct Tick {
    means: Arc<Means>,
    /// How many times what it worked it rests.
    share: u32,
    holder: Holder<NoLock>,
    cycle: Cycle,
}

impl HardHandler for Tick {
    fn expired(&mut self, cx: &mut context::HardIrq) -> Next {
        let Means { settings, pool, .. } = &*self.means;
        let supply = self.means.supply();
        Next::After(self.cycle.expired(
            settings,
            self.share,
            &mut self.holder,
            |holder| holder.begin_nolock(&*cx, settings, supply),
            |holder| holder.finish_nolock(&*cx, pool, supply),
        ))
    }
}

/// The side in task context: holds its batch between two sections with interrupts disabled, if at all.
struct TaskSide {
    means: Arc<Means>,
    holder: Holder<NoLock>,
}

impl Body for TaskSide {
    fn run(&mut self, thread: &mut Running) {
        let Self { means, holder } = self;
        let Means { settings, pool, .. } = &**means;

        loop {
            let pace = Pace::begin();
            let hold_us = settings.hold_us();

            irqs_off(thread.context(), |cx| {
                holder.begin_nolock(cx, settings, means.supply());
                if hold_us == 0 {
                    holder.finish_nolock(cx, pool, means.supply());
                }
            });
            if hold_us != 0 {
                let wish = thread.sleep_us(hold_us);
                irqs_off(thread.context(), |cx| {
                    holder.finish_nolock(cx, pool, means.supply());
                });
                if wish == Wish::Stop {
                    return;
                }
            }
            if thread.sleep_us(pace.rest_us(settings, hold_us)) == Wish::Stop {
                return;
            }
        }
    }
}
