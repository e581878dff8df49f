// SPDX-License-Identifier: GPL-2.0

//! Allocates in the timer softirq: a timer on each CPU.

use super::{
    control::Resources,
    in_flight::InFlight,
    side::{
        Cycles,
        Side,
        Step,
        TimerOf, //
    },
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
    Gfp,
    GfpAtomic,
    NoWarn, //
};

/// The exercise on one CPU.
pub(super) struct TimerSoftirq {
    _timer: Pin<KBox<TimerOf<Tick>>>,
}

impl Workload for TimerSoftirq {
    const FLAGS: &'static [&'static str] = &[GfpAtomic::NAME];

    fn start_on(cpu: OnlineCpu<'_>, resources: &Arc<Resources>) -> Result<Self> {
        let caller = call_site!(timer_softirq);
        let tick = Tick(InFlight::new(
            NoWarn(GfpAtomic),
            resources,
            cpu.number(),
            caller,
        )?);

        Ok(Self {
            _timer: Cycles::new(resources, tick).timer_on(cpu)?,
        })
    }
}

/// The timer's side.
struct Tick(InFlight<NoWarn<GfpAtomic>>);

impl Side for Tick {
    type Context = Softirq;

    fn step(&mut self, cx: &mut Softirq, step: Step) {
        self.0.step(cx, step);
    }
}
