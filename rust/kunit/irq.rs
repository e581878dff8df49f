// SPDX-License-Identifier: GPL-2.0

//! Tests of the tokens for disabled interrupts and for interrupt handlers, and of pages there.

use super::task::{
    check,
    eventually,
    in_task, //
};
use crate::{
    ffi::{
        context::{
            with_task,
            Context,
            HardIrq,
            IrqsOff, //
        },
        cpu::online::HotplugGuard,
        irq::{
            are_off,
            being_served,
            irqs_off, //
        },
        sync::{
            spin_lock::{
                RawSpinLock,
                SpinLockBh, //
            }, //
        },
        time::{
            timer::{
                Handler,
                Next,
                Timer, //
            }, //
        }, //
    },
    page::{
        AllowedIn,
        ExclusivePage,
        GfpAtomic, //
    }, //
};
use kernel::{
    cpu::CpuId,
    prelude::*,
    static_lock_class,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// Allocates a page and writes to it, in a context that allows it.
#[cfg(not(CONFIG_PREEMPT_RT))]
fn page_works<C: Context>(cx: &C) -> bool
where
    GfpAtomic: AllowedIn<C>,
{
    ExclusivePage::alloc(cx, GfpAtomic).is_ok_and(|page| {
        let mut page = page.zeroed();
        page[1] = 1;
        page[1] == 1
    })
}

#[kunit_tests(labyrinth_irq)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_are_off_in_the_section_only() -> Result {
        in_task(|thread| {
            check(!are_off())?;
            irqs_off(thread.context(), |_: &IrqsOff| check(are_off()))?;
            check(!are_off())
        })
    }

    #[test]
    fn task_context_is_where_one_may_sleep() -> Result {
        in_task(|thread| {
            check(with_task(|_| ()).is_ok())?;
            irqs_off(thread.context(), |_| check(with_task(|_| ()).is_err()))?;
            let lock = KBox::pin_init(
                SpinLockBh::new((), c"labyrinth_kunit_task", static_lock_class!()),
                GFP_KERNEL,
            )?;
            lock.with(thread.context(), |_, ()| check(with_task(|_| ()).is_err()))?;
            check(with_task(|_| ()).is_ok())
        })
    }

    /// Leaks a guard of the kernel crate in a section, which keeps interrupts disabled. No such
    /// guard may exist, or be counted, while interrupts are enabled.
    #[test]
    #[cfg(labyrinth_since_7_3)]
    fn leaked_guard_outlives_its_section() -> Result {
        in_task(|thread| {
            let lock = KBox::pin_init(
                RawSpinLock::new((), c"labyrinth_kunit_leak", static_lock_class!()),
                GFP_KERNEL,
            )?;
            let leak = || core::mem::forget(kernel::interrupt::local_interrupt_disable());
            let end_of_leak = || {
                let off = are_off();
                // SAFETY: The guard was just leaked, on this CPU, and is not used any more.
                unsafe { kernel::bindings::local_interrupt_enable() };
                check(off && !are_off())
            };

            irqs_off(thread.context(), |_| leak());
            end_of_leak()?;
            lock.with(|()| leak());
            end_of_leak()
        })
    }

    #[test]
    #[cfg(not(CONFIG_PREEMPT_RT))]
    fn page_with_interrupts_off() -> Result {
        in_task(|thread| irqs_off(thread.context(), |cx| check(page_works(cx))))
    }

    #[test]
    fn hard_timer_expires_in_an_interrupt_of_its_cpu() -> Result {
        struct Tick {
            cpu: u32,
            good: Arc<Atomic<u32>>,
            bad: Arc<Atomic<u32>>,
        }

        impl Handler<HardIrq> for Tick {
            // `page_works` allocates.
            const TAKES_SPINLOCKS: bool = true;

            fn expired(&mut self, cx: &mut HardIrq) -> Next {
                let here = CpuId::current().as_u32() == self.cpu && being_served() && are_off();
                #[cfg(not(CONFIG_PREEMPT_RT))]
                let here = here && page_works(cx);
                let nested = irqs_off(cx, |_| are_off()) && are_off() && with_task(|_| ()).is_err();

                let count = if here && nested {
                    &self.good
                } else {
                    &self.bad
                };
                count.add(1, Relaxed);
                if self.good.load(Relaxed) < 3 {
                    Next::After(1_000)
                } else {
                    Next::Stop
                }
            }
        }

        for cpu in with_task(|cx| HotplugGuard::new(cx))?.online() {
            let good = Arc::new(Atomic::new(0), GFP_KERNEL)?;
            let bad = Arc::new(Atomic::new(0), GFP_KERNEL)?;
            let tick = Tick {
                cpu: cpu.number(),
                good: good.clone(),
                bad: bad.clone(),
            };
            let timer = KBox::pin_init(Timer::start_on(cpu, 1_000, tick), GFP_KERNEL)?;

            eventually(|| good.load(Relaxed) == 3)?;
            assert_eq!(bad.load(Relaxed), 0);
            // The timer has stopped itself, so there must be no fourth call.
            kernel::time::delay::fsleep(kernel::time::Delta::from_millis(20));
            assert_eq!(good.load(Relaxed), 3);
            drop(timer);
        }
        Ok(())
    }

    #[test]
    fn dropped_hard_timer_is_silent() -> Result {
        struct Tick(Arc<Atomic<u32>>);

        impl Handler<HardIrq> for Tick {
            fn expired(&mut self, _cx: &mut HardIrq) -> Next {
                self.0.add(1, Relaxed);
                Next::After(200)
            }
        }

        let hotplug = with_task(|cx| HotplugGuard::new(cx))?;
        let cpu = hotplug.online().next().ok_or(ENODEV)?;
        for _ in 0..20 {
            let count = Arc::new(Atomic::new(0), GFP_KERNEL)?;
            let tick = Tick(count.clone());
            let timer = KBox::pin_init(Timer::start_on(cpu, 200, tick), GFP_KERNEL)?;

            eventually(|| count.load(Relaxed) >= 2)?;
            drop(timer);
            let last = count.load(Relaxed);
            kernel::time::delay::fsleep(kernel::time::Delta::from_millis(2));
            assert_eq!(count.load(Relaxed), last);
        }
        Ok(())
    }
}
