// SPDX-License-Identifier: GPL-2.0

//! Allocates in task context, in a thread on each CPU, alternately with `GFP_ATOMIC` and
//! `GFP_KERNEL`: the baseline that shows what atomic costs and loses.

use super::{
    in_flight::InFlight,
    pace::Pace,
    Resources,
    Settings,
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
    pool::Supply,
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
    AllowedIn,
    GfpAtomic,
    GfpKernel,
    NoWarn, //
};

/// The exercise on one CPU.
pub(crate) struct Task {
    _thread: Thread<Baseline>,
}

impl Workload for Task {
    const NAME: &'static CStr = c"labyrinth/task";

    fn start_on(cpu: OnlineCpu<'_>, means: &Arc<Resources>) -> Result<Self> {
        let recorder = |kind| Recorder::new(means.stats.clone(), kind);
        let baseline = Baseline {
            means: means.clone(),
            atomic: InFlight::new(
                NoWarn(GfpAtomic),
                recorder(Kind::TaskAtomic),
                cpu.number(),
                call_site!(task_atomic),
            )?,
            kernel: InFlight::new(
                NoWarn(GfpKernel),
                recorder(Kind::TaskKernel),
                cpu.number(),
                call_site!(task_kernel),
            )?,
        };

        Ok(Self {
            _thread: Thread::spawn_on(cpu, Self::NAME, baseline)?,
        })
    }
}

/// What the thread works on.
struct Baseline {
    means: Arc<Resources>,
    atomic: InFlight<NoWarn<GfpAtomic>>,
    kernel: InFlight<NoWarn<GfpKernel>>,
}

impl Body for Baseline {
    fn run(&mut self, thread: &mut Running) {
        let Resources { settings, .. } = &*self.means;

        // `GFP_KERNEL` is the baseline, so always straight from the allocator.
        while cycle(&mut self.atomic, settings, self.means.supply(), thread) == ShouldStop::No
            && cycle(&mut self.kernel, settings, self.means.allocator(), thread) == ShouldStop::No
        {
        }
    }
}

/// One cycle with one set of flags.
fn cycle<G: AllowedIn<context::Task>>(
    holder: &mut InFlight<G>,
    settings: &Settings,
    supply: Supply<'_>,
    thread: &mut Running,
) -> ShouldStop {
    let pace = Pace::begin();
    let hold_us = settings.hold_us();

    holder.begin(&*thread.context(), settings, supply);
    let wish = thread.sleep_us(hold_us);
    holder.finish(&*thread.context(), supply);

    match wish {
        ShouldStop::Yes => ShouldStop::Yes,
        ShouldStop::No => thread.sleep_us(pace.rest_us(settings, hold_us)),
    }
}
