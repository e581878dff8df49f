// SPDX-License-Identifier: GPL-2.0

//! Allocates in the timer softirq: a timer on each CPU that is online at the start.

use super::{
    holder::Holder,
    pace::Pace,
    Means,
    Setting,
    Workload, //
};
use crate::{
    ffi::{
        call_site::call_site,
        context::{
            self,
            Softirq, //
        },
        cpu::HotplugGuard,
        timer::{
            Handler,
            Next,
            Timer, //
        }, //
    },
    page::{
        Atomic,
        NoWarn, //
    },
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
pub(crate) struct TimerSoftirq {
    _timers: KVec<Pin<KBox<Timer<Tick>>>>,
}

impl Workload for TimerSoftirq {
    fn start(cx: &context::Task, means: &Arc<Means>) -> Result<Self> {
        let recorder = Recorder::new(means.stats.clone(), Kind::TimerSoftirq);
        let mut timers = KVec::new();
        let hotplug = HotplugGuard::new(cx);

        for cpu in hotplug.online() {
            let tick = Tick {
                means: means.clone(),
                holder: Holder::new(
                    NoWarn(Atomic),
                    recorder.clone(),
                    cpu.number(),
                    call_site!(timer_softirq),
                )?,
                holding: None,
            };
            let timer = Timer::start_on(cpu, means.settings.get(Setting::PeriodUs), tick);
            timers.push(KBox::pin_init(timer, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        Ok(Self { _timers: timers })
    }
}

/// What one CPU's timer works on.
struct Tick {
    means: Arc<Means>,
    holder: Holder<NoWarn<Atomic>>,
    /// While a batch is held: its cycle and how long it was to be held.
    holding: Option<(Pace, u32)>,
}

impl Handler for Tick {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        let Means { settings, .. } = &*self.means;
        let (pace, held_us) = match self.holding.take() {
            Some(holding) => holding,
            None => {
                let pace = Pace::begin();
                self.holder
                    .begin(&*cx, settings.batch(), self.means.supply());

                let hold_us = settings.hold_us();
                if hold_us != 0 {
                    self.holding = Some((pace, hold_us));
                    return Next::After(hold_us);
                }
                (pace, 0)
            }
        };

        #[cfg(any(labyrinth_plant = "leak", labyrinth_plant = "use_after_free"))]
        self.holder.misbehave();
        self.holder.finish(&*cx, self.means.supply());
        Next::After(pace.rest_us(settings, held_us))
    }
}
