// SPDX-License-Identifier: GPL-2.0

//! Allocates in task context, in a thread on each CPU, alternately with `GFP_ATOMIC` and
//! `GFP_KERNEL`. This is the baseline that shows the cost and the failures of atomic allocations.

use super::{
    control::Resources,
    in_flight::InFlight,
    side::{
        Cycles,
        Side,
        Step,
        ThreadOf, //
    },
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
    Gfp,
    GfpAtomic,
    GfpKernel,
    NoWarn, //
};

/// The exercise on one CPU.
pub(super) struct Task {
    _thread: ThreadOf<Baseline>,
}

impl Workload for Task {
    const FLAGS: &'static [&'static str] = &[GfpAtomic::NAME, GfpKernel::NAME];

    fn start_on(cpu: OnlineCpu<'_>, resources: &Arc<Resources>) -> Result<Self> {
        // One line for each, because /proc/allocinfo tells callers apart by their lines.
        let atomic = call_site!(task_atomic);
        let kernel = call_site!(task_kernel);
        let baseline = Baseline {
            atomic: InFlight::new(NoWarn(GfpAtomic), resources, cpu.number(), atomic)?,
            kernel: InFlight::new(NoWarn(GfpKernel), resources, cpu.number(), kernel)?.only_buddy(),
            kernel_is_next: false,
        };

        Ok(Self {
            _thread: Cycles::new(resources, baseline).thread_on(cpu)?,
        })
    }
}

/// The thread's side.
struct Baseline {
    atomic: InFlight<NoWarn<GfpAtomic>>,
    kernel: InFlight<NoWarn<GfpKernel>>,
    kernel_is_next: bool,
}

impl Side for Baseline {
    type Context = context::Task;

    fn step(&mut self, cx: &mut context::Task, step: Step) {
        if self.kernel_is_next {
            self.kernel.step(cx, step);
        } else {
            self.atomic.step(cx, step);
        }
        if step != Step::Begin {
            self.kernel_is_next = !self.kernel_is_next;
        }
    }
}
