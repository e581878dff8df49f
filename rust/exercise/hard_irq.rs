// SPDX-License-Identifier: GPL-2.0

//! Allocates where `alloc_pages()` may not be called on PREEMPT_RT: each CPU has a timer that works
//! in a hard interrupt, and a thread that works with interrupts disabled.

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
    sync::Arc, //
};
use labyrinth::{
    call_site,
    context::{
        self,
        Task, //
    },
    cpu::OnlineCpu,
    irq::irqs_off,
    Gfp,
    GfpNoLock, //
};

/// The exercise on one CPU.
pub(super) struct HardIrq {
    _timer: Pin<KBox<TimerOf<Tick>>>,
    _thread: ThreadOf<TaskSide>,
}

impl Workload for HardIrq {
    const FLAGS: &'static [&'static str] = &[GfpNoLock::NAME];

    fn start_on(cpu: OnlineCpu<'_>, resources: &Arc<Resources>) -> Result<Self> {
        let number = 2 * cpu.number();
        let side = TaskSide(InFlight::new(
            GfpNoLock,
            resources,
            number,
            call_site!(irqs_off),
        )?);
        let tick = Tick(InFlight::new(
            GfpNoLock,
            resources,
            number + 1,
            call_site!(hard_irq),
        )?);

        let thread = Cycles::new(resources, side).thread_on(cpu)?;
        Ok(Self {
            _timer: Cycles::new(resources, tick).timer_on(cpu)?,
            _thread: thread,
        })
    }
}

/// The side in hard interrupts.
struct Tick(InFlight<GfpNoLock>);

impl Side for Tick {
    type Context = context::HardIrq;

    /// An interrupt cannot be preempted, so the timer leaves most of the CPU time to others.
    const REST: u32 = 4;

    fn step(&mut self, cx: &mut context::HardIrq, step: Step) {
        self.0.step(cx, step);
    }
}

/// The side in task context. Each step is a section with interrupts disabled.
struct TaskSide(InFlight<GfpNoLock>);

impl Side for TaskSide {
    type Context = Task;

    fn step(&mut self, cx: &mut Task, step: Step) {
        irqs_off(cx, |cx| self.0.step(cx, step));
    }
}
