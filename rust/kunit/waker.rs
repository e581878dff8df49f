// SPDX-License-Identifier: GPL-2.0

//! Tests of waking a thread from contexts where `wake_up_process()` must not be called.

use super::task::{
    eventually,
    in_task, //
};
use crate::ffi::{
    context::{
        with_task,
        HardIrq, //
    },
    cpu::online::HotplugGuard,
    irq::irqs_off,
    sync::spin_lock::RawSpinLock,
    task::{
        thread::{
            Body,
            Running,
            ShouldStop,
            Thread, //
        },
        waker::Waker, //
    },
    time::{
        clock::Moment,
        timer::{
            Handler,
            Next,
            Timer, //
        }, //
    }, //
};
use kernel::{
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

/// A thread that counts its wakeups.
struct Count(Arc<Atomic<u32>>);

impl Body for Count {
    fn run(&mut self, thread: &mut Running) {
        while thread.sleep_until_woken() == ShouldStop::No {
            self.0.add(1, Relaxed);
        }
    }
}

fn counter() -> Result<Arc<Atomic<u32>>> {
    Ok(Arc::new(Atomic::new(0), GFP_KERNEL)?)
}

fn start(waker: &Arc<Waker>, count: &Arc<Atomic<u32>>) -> Result<Thread<Count>> {
    Thread::spawn_with(c"labyrinth/kunit", waker.clone(), Count(count.clone()))
}

#[kunit_tests(labyrinth_waker)]
mod tests {
    use super::*;

    #[test]
    fn every_context_wakes() -> Result {
        struct Tick(Arc<Waker>);

        impl Handler<HardIrq> for Tick {
            fn expired(&mut self, _cx: &mut HardIrq) -> Next {
                self.0.wake();
                Next::Stop
            }
        }

        let (waker, count) = (Waker::new()?, counter()?);
        let thread = start(&waker, &count)?;

        waker.wake();
        eventually(|| count.load(Relaxed) == 1)?;

        let lock = KBox::pin_init(
            RawSpinLock::new((), c"labyrinth_kunit_waker", static_lock_class!()),
            GFP_KERNEL,
        )?;
        lock.with(|()| waker.wake());
        eventually(|| count.load(Relaxed) == 2)?;

        let hotplug = with_task(|cx| HotplugGuard::new(cx))?;
        let cpu = hotplug.online().last().ok_or(ENODEV)?;
        let tick = KBox::pin_init(Timer::start_on(cpu, 1_000, Tick(waker.clone())), GFP_KERNEL)?;
        eventually(|| count.load(Relaxed) == 3)?;
        drop((tick, thread));
        // Without a call there must be no wakeup.
        assert_eq!(count.load(Relaxed), 3);
        Ok(())
    }

    #[test]
    fn call_with_interrupts_off_waits_for_them() -> Result {
        in_task(|running| {
            let (waker, count) = (Waker::new()?, counter()?);
            let thread = start(&waker, &count)?;

            irqs_off(running.context(), |_| waker.wake());
            eventually(|| count.load(Relaxed) == 1)?;
            drop(thread);
            Ok(())
        })
    }

    #[test]
    fn call_before_the_thread_is_kept() -> Result {
        let (waker, count) = (Waker::new()?, counter()?);

        waker.wake();
        waker.wake();
        let thread = start(&waker, &count)?;
        eventually(|| count.load(Relaxed) == 1)?;
        waker.wake();
        eventually(|| count.load(Relaxed) == 2)?;
        drop(thread);
        assert_eq!(count.load(Relaxed), 2);
        Ok(())
    }

    /// Plays ping-pong without a pause, so that calls come at every point of falling asleep.
    #[test]
    fn no_call_is_lost() -> Result {
        struct Echo {
            calls: Arc<Atomic<u32>>,
            back: Arc<Waker>,
        }

        impl Body for Echo {
            fn run(&mut self, thread: &mut Running) {
                while thread.sleep_until_woken() == ShouldStop::No {
                    self.calls.add(1, Relaxed);
                    self.back.wake();
                }
            }
        }

        const ROUNDS: u32 = 1_000;
        let (ping, pong) = (Waker::new()?, Waker::new()?);
        let (one, two) = (counter()?, counter()?);
        let first = Thread::spawn_with(
            c"labyrinth/ping",
            ping.clone(),
            Echo {
                calls: one.clone(),
                back: pong.clone(),
            },
        )?;
        let second = Thread::spawn_with(
            c"labyrinth/pong",
            pong.clone(),
            Echo {
                calls: two.clone(),
                back: ping.clone(),
            },
        )?;

        ping.wake();
        eventually(|| one.load(Relaxed) >= ROUNDS && two.load(Relaxed) >= ROUNDS)?;
        drop((first, second));
        Ok(())
    }

    #[test]
    fn waker_outlives_its_thread() -> Result {
        let count = counter()?;

        for _ in 0..10 {
            let waker = Waker::new()?;

            drop(start(&waker, &count)?);
            // This interrupts at once, or at the latest when the waker is dropped.
            waker.wake();
            assert!(start(&waker, &count).is_err_and(|error| error == EBUSY));
        }
        assert_eq!(count.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn sleep_for_a_time_is_not_cut_short() -> Result {
        struct Sleeper {
            waker: Arc<Waker>,
            kept: Arc<Atomic<u32>>,
        }

        impl Body for Sleeper {
            fn run(&mut self, thread: &mut Running) {
                let before = Moment::now();
                // The wakeup comes during the sleep, as soon as this CPU's interrupt is served.
                self.waker.wake();
                let answer = thread.sleep_us(30_000);
                if answer == ShouldStop::No && Moment::now().nanos_since(before) >= 30_000_000 {
                    self.kept.add(1, Relaxed);
                }
                // The call must not be lost.
                if thread.sleep_until_woken() == ShouldStop::No {
                    self.kept.add(1, Relaxed);
                }
            }
        }

        let (waker, kept) = (Waker::new()?, counter()?);
        let thread = Thread::spawn_with(
            c"labyrinth/kunit",
            waker.clone(),
            Sleeper {
                waker: waker.clone(),
                kept: kept.clone(),
            },
        )?;
        eventually(|| kept.load(Relaxed) == 2)?;
        drop(thread);
        Ok(())
    }
}
