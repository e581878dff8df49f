// SPDX-License-Identifier: GPL-2.0

//! Tests of CPU hotplug: CPUs that come online, go offline and die.

use super::task::eventually;
use crate::ffi::{
    context::with_task,
    cpu::{
        each_cpu::{
            CpuHandler,
            EachCpu, //
        },
        hotplug::{
            CpuDead,
            DeadCpu,
            Hotplug, //
        },
        online::{
            HotplugGuard,
            OnlineCpu, //
        }, //
    }, //
};
use kernel::{
    bindings,
    cpu::CpuId,
    error::to_result,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// The number of calls of [`CpuDead::dead`], and the CPU of the last call.
struct Deaths {
    count: Atomic<u32>,
    last: Atomic<u32>,
    on_dead: Atomic<u32>,
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

/// The CPUs that are present, bit N for CPU N, and the errors.
struct Presence {
    there: Atomic<u64>,
    elsewhere: Atomic<u32>,
    out_of_turn: Atomic<u32>,
    refused: Atomic<u64>,
}

impl Presence {
    fn new(refused: u64) -> Result<Arc<Self>> {
        Ok(Arc::new(
            Self {
                there: Atomic::new(0),
                elsewhere: Atomic::new(0),
                out_of_turn: Atomic::new(0),
                refused: Atomic::new(refused),
            },
            GFP_KERNEL,
        )?)
    }

    /// Returns the CPU's bit and the previous bits. The callbacks do not run concurrently.
    fn note(&self, cpu: OnlineCpu<'_>) -> (u64, u64) {
        if CpuId::current().as_u32() != cpu.number() {
            self.elsewhere.add(1, Relaxed);
        }
        (1 << cpu.number(), self.there.load(Relaxed))
    }

    fn fine(&self) -> bool {
        self.elsewhere.load(Relaxed) == 0 && self.out_of_turn.load(Relaxed) == 0
    }
}

impl CpuHandler for Arc<Presence> {
    fn arrive(&self, cpu: OnlineCpu<'_>) -> Result {
        let (bit, there) = self.note(cpu);
        if there & bit != 0 {
            self.out_of_turn.add(1, Relaxed);
        }
        self.there.store(there | bit, Relaxed);
        if self.refused.load(Relaxed) & bit != 0 {
            return Err(ENOMEM);
        }
        Ok(())
    }

    fn leave(&self, cpu: OnlineCpu<'_>) {
        let (bit, there) = self.note(cpu);
        if there & bit == 0 {
            self.out_of_turn.add(1, Relaxed);
        }
        self.there.store(there & !bit, Relaxed);
    }
}

/// Returns the CPUs that are online, bit N for CPU N.
fn online() -> Result<u64> {
    Ok(with_task(|cx| HotplugGuard::new(cx))?
        .online()
        .fold(0, |all, cpu| all | 1 << cpu.number()))
}

/// Takes a CPU down, and up again.
fn down_and_up(cpu: u32) -> Result {
    // SAFETY: Task context, and no lock is held that CPU hotplug takes.
    to_result(unsafe { bindings::remove_cpu(cpu) })?;
    // SAFETY: As above.
    to_result(unsafe { bindings::add_cpu(cpu) })
}

#[kunit_tests(labyrinth_cpu)]
mod tests {
    use super::*;

    #[test]
    fn each_cpu_is_told_of_until_the_handler_is_dropped() -> Result {
        let all = online()?;
        let presence = Presence::new(0)?;
        let each = with_task(|cx| EachCpu::new(cx, c"labyrinth:kunit", presence.clone()))??;
        assert_eq!(presence.there.load(Relaxed), all);

        let last = u64::BITS - 1 - all.leading_zeros();
        if last != 0 {
            // SAFETY: Task context, and no lock is held that CPU hotplug takes.
            to_result(unsafe { bindings::remove_cpu(last) })?;
            assert_eq!(presence.there.load(Relaxed), all & !(1 << last));
            // The CPU comes online although the handler refuses it.
            presence.refused.store(1 << last, Relaxed);
            // SAFETY: As above.
            to_result(unsafe { bindings::add_cpu(last) })?;
            assert_eq!(presence.there.load(Relaxed), all);
        }
        drop(each);
        assert_eq!(presence.there.load(Relaxed), 0);
        assert!(presence.fine());
        Ok(())
    }

    #[test]
    fn a_cpu_that_is_refused_at_first_fails_all() -> Result {
        let all = online()?;
        let presence = Presence::new(1 << (u64::BITS - 1 - all.leading_zeros()))?;
        let each = with_task(|cx| EachCpu::new(cx, c"labyrinth:kunit", presence.clone()))?;

        assert_eq!(each.err(), Some(ENOMEM));
        assert_eq!(presence.there.load(Relaxed), 0);
        assert!(presence.fine());
        Ok(())
    }

    #[test]
    fn death_of_a_cpu_is_told_until_the_callback_is_dropped() -> Result {
        // The last CPU, because the first one can rarely be taken down.
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
                count: Atomic::new(0),
                last: Atomic::new(u32::MAX),
                on_dead: Atomic::new(0),
            },
            GFP_KERNEL,
        )?;
        let hotplug = Hotplug::new(c"labyrinth:kunit", deaths.clone())?;
        assert_eq!(deaths.count.load(Relaxed), 0);

        down_and_up(cpu)?;
        assert_eq!(deaths.count.load(Relaxed), 1);
        assert_eq!(deaths.last.load(Relaxed), cpu);
        assert_eq!(deaths.on_dead.load(Relaxed), 0);

        // Dropping the handler must not count as a death.
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
