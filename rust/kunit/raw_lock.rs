// SPDX-License-Identifier: GPL-2.0

//! Tests of the lock for all contexts.

use super::task::eventually;
use crate::ffi::{
    context::{
        with_task,
        HardIrq, //
    },
    cpu::online::HotplugGuard,
    irq::are_off,
    sync::spin_lock::RawSpinLock,
    time::{
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

/// Makes a lock around a pair of numbers, which are equal outside of its sections.
fn pair() -> Result<Arc<RawSpinLock<[u64; 2]>>> {
    Arc::pin_init(
        RawSpinLock::new([0; 2], c"labyrinth_kunit", static_lock_class!()),
        GFP_KERNEL,
    )
}

/// Increments both numbers, one after the other. Returns whether they were equal.
fn count(pair: &mut [u64; 2]) -> bool {
    pair[0] += 1;
    let equal = pair[0] == pair[1] + 1;
    pair[1] += 1;
    equal
}

#[kunit_tests(labyrinth_raw_lock)]
mod tests {
    use super::*;

    #[test]
    fn section_runs_with_interrupts_off() -> Result {
        let pair = pair()?;

        assert!(!are_off());
        assert!(pair.with(|pair| count(pair) && are_off()));
        assert!(!are_off());
        assert_eq!(pair.with(|pair| *pair), [1, 1]);
        Ok(())
    }

    /// Lets a task compete with hard interrupts on every CPU.
    #[test]
    fn sections_exclude_each_other() -> Result {
        struct Tick {
            pair: Arc<RawSpinLock<[u64; 2]>>,
            done: Arc<Atomic<u64>>,
            torn: Arc<Atomic<u64>>,
        }

        impl Handler<HardIrq> for Tick {
            fn expired(&mut self, _cx: &mut HardIrq) -> Next {
                if !self.pair.with(count) {
                    self.torn.add(1, Relaxed);
                }
                self.done.add(1, Relaxed);
                Next::After(300)
            }
        }

        let pair = pair()?;
        let done = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let torn = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let mut timers = KVec::new();
        for cpu in with_task(|cx| HotplugGuard::new(cx))?.online() {
            let tick = Tick {
                pair: pair.clone(),
                done: done.clone(),
                torn: torn.clone(),
            };
            timers.push(
                KBox::pin_init(Timer::start_on(cpu, 300, tick), GFP_KERNEL)?,
                GFP_KERNEL,
            )?;
        }

        let mut own = 0;
        eventually(|| {
            for _ in 0..100 {
                if !pair.with(count) {
                    torn.add(1, Relaxed);
                }
            }
            done.load(Relaxed) >= 200
        })?;
        own += done.load(Relaxed);
        drop(timers);

        assert!(own >= 200);
        assert_eq!(torn.load(Relaxed), 0);
        let [one, two] = pair.with(|pair| *pair);
        assert_eq!(one, two);
        assert_eq!((one - done.load(Relaxed)) % 100, 0);
        Ok(())
    }
}
