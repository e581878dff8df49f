// SPDX-License-Identifier: GPL-2.0

//! Allocates in the timer softirq: a timer on each CPU.

use super::{
    cycle::Cycle,
    in_flight::InFlight,
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
    context::Softirq,
    cpu::OnlineCpu,
    stats::{
        Kind,
        Recorder, //
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
pub(crate) struct TimerSoftirq {
    _timer: Pin<KBox<Timer<Tick>>>,
}

impl Workload for TimerSoftirq {
    const NAME: &'static CStr = c"labyrinth/timer_softirq";

    fn start_on(cpu: OnlineCpu<'_>, means: &Arc<Resources>) -> Result<Self> {
        let recorder = Recorder::new(means.stats.clone(), Kind::TimerSoftirq);
        let tick = Tick {
            means: means.clone(),
            holder: InFlight::new(
                NoWarn(GfpAtomic),
                recorder,
                cpu.number(),
                call_site!(timer_softirq),
            )?,
            cycle: Cycle::default(),
        };
        let timer = Timer::start_on(cpu, means.settings.get(Setting::PeriodUs), tick);

        Ok(Self {
            _timer: KBox::pin_init(timer, GFP_KERNEL)?,
        })
    }
}

/// What one CPU's timer works on.
struct Tick {
    means: Arc<Resources>,
    holder: InFlight<NoWarn<GfpAtomic>>,
    cycle: Cycle,
}

impl Handler for Tick {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        let (settings, supply) = (&self.means.settings, self.means.supply());
        Next::After(self.cycle.expired(
            settings,
            1,
            &mut self.holder,
            |holder| holder.begin(&*cx, settings, supply),
            |holder| holder.finish(&*cx, supply),
        ))
    }
}
