// SPDX-License-Identifier: GPL-2.0

//! Tests of the count of callbacks that the kernel may call.

use crate::ffi::{
    context::{
        with_task,
        HardIrq,
        Softirq, //
    },
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
    },
    debugfs::Root,
    mm::shrinker::{
        Shrink,
        Shrinker, //
    },
    task::{
        thread::{
            Body,
            Running,
            Thread, //
        },
        waker::Waker, //
    },
    time::{
        timer::{
            Handler,
            Next,
            Timer, //
        }, //
    },
    unload::{
        own,
        CallbackRegistration,
        Count, //
    }, //
};
use core::ptr;
use kernel::{
    prelude::*,
    sync::Arc, //
};

struct Nothing;

impl Handler for Nothing {
    fn expired(&mut self, _cx: &mut Softirq) -> Next {
        Next::Stop
    }
}

impl Handler<HardIrq> for Nothing {
    fn expired(&mut self, _cx: &mut HardIrq) -> Next {
        Next::Stop
    }
}

impl Body for Nothing {
    fn run(&mut self, _thread: &mut Running) {}
}

impl CpuDead for Nothing {
    fn dead(&self, _cpu: &mut DeadCpu<'_>) {}
}

impl CpuHandler for Nothing {
    fn arrive(&self, _cpu: OnlineCpu<'_>) -> Result {
        Ok(())
    }

    fn leave(&self, _cpu: OnlineCpu<'_>) {}
}

impl Shrink for Nothing {
    fn count(&self) -> usize {
        0
    }

    fn scan(&self, _wanted: usize) -> usize {
        0
    }
}

#[kunit_tests(labyrinth_unload)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_counted_until_they_are_dropped() -> Result {
        let before = own();
        let timers = {
            let hotplug = with_task(|cx| HotplugGuard::new(cx))?;
            let cpu = hotplug.online().next().ok_or(ENODEV)?;
            (
                KBox::pin_init(Timer::<Nothing>::start_on(cpu, 0, Nothing), GFP_KERNEL)?,
                KBox::pin_init(
                    Timer::<Nothing, HardIrq>::start_on(cpu, 0, Nothing),
                    GFP_KERNEL,
                )?,
            )
        };
        assert_eq!(own(), before + 2);
        let others = (
            Thread::spawn(c"labyrinth_kunit", Nothing)?,
            Hotplug::new(c"labyrinth:kunit", Nothing)?,
            Shrinker::new(c"labyrinth_kunit", Nothing)?,
            Root::new(c"labyrinth_kunit", Arc::new((), GFP_KERNEL)?)?,
            Waker::new()?,
            with_task(|cx| EachCpu::new(cx, c"labyrinth:kunit", Nothing))??,
        );
        assert_eq!(own(), before + 8);

        drop(timers);
        assert_eq!(own(), before + 6);
        drop(others);
        assert_eq!(own(), before);
        Ok(())
    }

    #[test]
    fn address_outside_of_modules_is_refused() -> Result {
        let heap = KBox::new(0_u64, GFP_KERNEL)?;
        let refusal = CallbackRegistration::new(ptr::from_ref(&*heap).cast()).err();
        assert_eq!(refusal, Some(EINVAL));
        Ok(())
    }

    #[test]
    fn full_count_stays_full() {
        let count = Count::new(u32::MAX - 1);
        for _ in 0..3 {
            count.up();
            assert_eq!(count.get(), u32::MAX);
        }
        for _ in 0..5 {
            count.down();
            assert_eq!(count.get(), u32::MAX);
        }

        let count = Count::new(1);
        count.up();
        count.down();
        assert_eq!(count.get(), 1);
        count.down();
        assert_eq!(count.get(), 0);
    }
}
