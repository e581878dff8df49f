// SPDX-License-Identifier: GPL-2.0

//! Runs work in a context, and returns its result.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    static_lock_class,
    sync::Arc, //
};
use labyrinth::{
    context::{
        HardIrq,
        Softirq,
        SpinLocked,
        Task, //
    },
    cpu::HotplugGuard,
    sync::{
        RawSpinLock,
        SpinLockBh, //
    },
    time::{
        Expiry,
        Handler,
        Next,
        Timer, //
    }, //
};

/// A place for a result.
type Slot<R> = Arc<RawSpinLock<Option<R>>>;

fn slot<R: Unpin>() -> Result<Slot<R>> {
    Arc::pin_init(
        RawSpinLock::new(None, c"labyrinth_transfers", static_lock_class!()),
        GFP_KERNEL,
    )
}

fn result_of<R: Send + Unpin>(slot: &Slot<R>) -> Result<R> {
    let mut result = None;
    eventually(|| {
        result = slot.with(|slot| slot.take());
        result.is_some()
    })?;
    result.ok_or(ETIMEDOUT)
}

/// Naps until a condition holds, for ten seconds at most.
pub(crate) fn eventually(mut condition: impl FnMut() -> bool) -> Result {
    for _ in 0..10_000 {
        if condition() {
            return Ok(());
        }
        kernel::time::delay::fsleep(kernel::time::Delta::from_millis(1));
    }
    Err(ETIMEDOUT)
}

/// Work that a timer does once.
struct Once<W, R> {
    work: Option<W>,
    slot: Slot<R>,
}

impl<W, R: Send + Unpin> Once<W, R> {
    /// Lets `with` do the work, unless it is done.
    fn run(&mut self, with: impl FnOnce(W) -> R) -> Next {
        if let Some(work) = self.work.take() {
            let result = with(work);
            self.slot.with(|slot| *slot = Some(result));
        }
        Next::Stop
    }
}

impl<W: FnOnce(&mut Softirq) -> R + Send + 'static, R: Send + Unpin + 'static> Handler
    for Once<W, R>
{
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        self.run(|work| work(cx))
    }
}

impl<W: FnOnce(&mut HardIrq) -> R + Send + 'static, R: Send + Unpin + 'static> Handler<HardIrq>
    for Once<W, R>
{
    // Most transfers allocate.
    const TAKES_SPINLOCKS: bool = true;

    fn expired(&mut self, cx: &mut HardIrq) -> Next {
        self.run(|work| work(cx))
    }
}

/// Does work in a timer that expires in a context `C`, after a delay. Sleeps.
fn by_timer<C: Expiry, W, R: Send + Unpin>(cx: &mut Task, delay_us: u32, work: W) -> Result<R>
where
    Once<W, R>: Handler<C>,
{
    let slot = slot()?;
    let once = Once {
        work: Some(work),
        slot: slot.clone(),
    };
    let hotplug = HotplugGuard::new(cx);
    let cpu = hotplug.online().next().ok_or(ENODEV)?;
    let _timer = KBox::pin_init(Timer::<_, C>::start_on(cpu, delay_us, once), GFP_KERNEL)?;
    result_of(&slot)
}

/// Does work in the timer softirq. Sleeps.
pub(crate) fn in_softirq<R: Send + Unpin + 'static>(
    cx: &mut Task,
    work: impl FnOnce(&mut Softirq) -> R + Send + 'static,
) -> Result<R> {
    by_timer::<Softirq, _, _>(cx, 0, work)
}

/// Does work in a hard interrupt. Sleeps.
///
/// Not on PREEMPT_RT, where pages can be neither allocated nor freed there.
#[cfg(not(CONFIG_PREEMPT_RT))]
pub(crate) fn in_hard_irq<R: Send + Unpin + 'static>(
    cx: &mut Task,
    work: impl FnOnce(&mut HardIrq) -> R + Send + 'static,
) -> Result<R> {
    by_timer::<HardIrq, _, _>(cx, 100, work)
}

/// Does work under a spinlock.
pub(crate) fn under_spinlock<R: Send>(
    cx: &mut Task,
    work: impl FnOnce(&SpinLocked) -> R + Send,
) -> Result<R> {
    let lock = KBox::pin_init(
        SpinLockBh::new((), c"labyrinth_transfers_cx", static_lock_class!()),
        GFP_KERNEL,
    )?;
    Ok(lock.with(cx, |cx, ()| work(cx)))
}
