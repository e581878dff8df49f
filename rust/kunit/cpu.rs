// SPDX-License-Identifier: GPL-2.0

//! The death of a CPU.

use super::task::eventually;
use crate::ffi::{
    context::with_task,
    cpu::HotplugGuard,
    hotplug::{
        CpuDead,
        DeadCpu,
        Hotplug, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    error::to_result,
    prelude::*,
    sync::{
        atomic::{
            Atomic as AtomicCell,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// How often [`CpuDead::dead`] was called, and for which CPU the last time.
struct Deaths {
    count: AtomicCell<u32>,
    last: AtomicCell<u32>,
    on_dead: AtomicCell<u32>,
}

impl CpuDead for Arc<Deaths> {
    fn dead(&self, cpu: &mut DeadCpu<'_>) {
        if CpuId::current().as_u32() == cpu.number() {
            self.on_dead.add(1, Relaxed);
        }
        self.last.store(cpu.number(), Relaxed);
        self.count.add(1, Relaxed);
    }
}

/// Takes a CPU down and up again.
fn down_and_up(cpu: u32) -> Result {
    // SAFETY: Task context, without any lock that CPU hotplug takes.
    to_result(unsafe { bindings::remove_cpu(cpu) })?;
    // SAFETY: As above.
    to_result(unsafe { bindings::add_cpu(cpu) })
}

#[kunit_tests(labyrinth_cpu)]
mod tests {
    use super::*;

    #[test]
    fn death_of_a_cpu_is_told_until_the_callback_is_dropped() -> Result {
        // The last one; the first can rarely be taken down.
        let cpu = with_task(|cx| HotplugGuard::new(cx))?
            .online()
            .map(|cpu| cpu.number())
            .max()
            .ok_or(ENODEV)?;
        if cpu == 0 {
            pr_info!("one CPU only: nothing to take down\n");
            return Ok(());
        }
        let deaths = Arc::new(
            Deaths {
                count: AtomicCell::new(0),
                last: AtomicCell::new(u32::MAX),
                on_dead: AtomicCell::new(0),
            },
            GFP_KERNEL,
        )?;
        let hotplug = Hotplug::new(c"labyrinth:kunit", deaths.clone())?;
        assert_eq!(deaths.count.load(Relaxed), 0);

        down_and_up(cpu)?;
        assert_eq!(deaths.count.load(Relaxed), 1);
        assert_eq!(deaths.last.load(Relaxed), cpu);
        assert_eq!(deaths.on_dead.load(Relaxed), 0);

        // Dropping is not a death.
        drop(hotplug);
        assert_eq!(deaths.count.load(Relaxed), 1);

        down_and_up(cpu)?;
        assert_eq!(deaths.count.load(Relaxed), 1);
        eventually(|| {
            with_task(|cx| HotplugGuard::new(cx))
                .is_ok_and(|hotplug| hotplug.online().any(|it| it.number() == cpu))
        })
    }
}
