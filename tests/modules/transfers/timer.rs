// SPDX-License-Identifier: GPL-2.0

//! Timers are not started where that would wait for another CPU.

#![forbid(unsafe_code)]

use crate::{
    case::{
        check,
        Case, //
    },
    context::under_spinlock, //
};
use kernel::prelude::*;
use labyrinth::{
    context::{
        HardIrq,
        Task, //
    },
    cpu::{
        HotplugGuard,
        OnlineCpu, //
    },
    time::{
        Handler,
        Next,
        Timer, //
    }, //
};

pub(crate) const CASES: &[&[Case]] = &[&[Case {
    name: "timer_hard_refused_in_atomic_context",
    run: hard_refused_in_atomic_context,
}]];

/// A handler that does nothing: its timer is dropped before it expires.
struct Idle;

impl Handler<HardIrq> for Idle {
    fn expired(&mut self, _cx: &mut HardIrq) -> Next {
        Next::Stop
    }
}

fn started_on(cpu: OnlineCpu<'_>) -> Result {
    KBox::pin_init(Timer::start_on(cpu, 1_000_000, Idle), GFP_NOWAIT)?;
    Ok(())
}

/// Starts a timer on each CPU, this one included.
fn hard_refused_in_atomic_context(cx: &mut Task) -> Result {
    let hotplug = HotplugGuard::new(cx);
    for cpu in hotplug.online() {
        check!(started_on(cpu) == Ok(()));
        check!(under_spinlock(cx, |_| started_on(cpu))? == Err(EPERM));
        #[cfg(not(CONFIG_PREEMPT_RT))]
        check!(labyrinth::irq::irqs_off(cx, |_| started_on(cpu)) == Err(EPERM));
        check!(started_on(cpu) == Ok(()));
    }
    Ok(())
}
