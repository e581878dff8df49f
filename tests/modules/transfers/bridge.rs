// SPDX-License-Identifier: GPL-2.0

//! Uses pages and proofs of the kernel crate in place of labyrinth's, and the reverse.

#![forbid(unsafe_code)]

use crate::{
    case::{
        check,
        everywhere,
        Case, //
    },
    context::{
        eventually,
        in_softirq, //
    },
    pages::filled,
    probe, //
};
use kernel::{
    impl_has_hr_timer,
    page::Page,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc,
        ArcBorrow, //
    },
    time::{
        hrtimer::{
            HrTimer,
            HrTimerCallback,
            HrTimerCallbackContext,
            HrTimerPointer,
            HrTimerRestart,
            RelativePinnedHardMode,
            RelativePinnedMode,
            RelativePinnedSoftMode, //
        },
        Delta,
        Monotonic, //
    }, //
};
use labyrinth::{
    context::{
        of_hard_hrtimer,
        of_hrtimer,
        of_soft_hrtimer,
        with_device_irq,
        with_hard_irq,
        with_task,
        Context,
        Kind,
        Task, //
    },
    irq::irqs_off,
    AllowedIn,
    ExclusivePage,
    GfpAtomic,
    Uninit, //
};

pub(crate) const CASES: &[&[Case]] = &[
    everywhere!("bridge_page", there_and_back),
    &[
        Case {
            name: "bridge_page_in_use",
            run: page_in_use,
        },
        #[cfg(not(CONFIG_PREEMPT_RT))]
        Case {
            name: "bridge_interrupts_disabled",
            run: interrupts_disabled,
        },
        Case {
            name: "bridge_soft_hrtimer",
            run: |_| in_hrtimer::<Soft>(),
        },
        Case {
            name: "bridge_hard_hrtimer",
            run: |_| in_hrtimer::<Hard>(),
        },
        Case {
            name: "bridge_hrtimer",
            run: |_| in_hrtimer::<Unmarked>(),
        },
        Case {
            name: "bridge_contexts_checked",
            run: contexts_checked,
        },
    ],
];

fn there_and_back<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let page = filled(cx, 0x5a)?;
    let (pfn, address, length) = (page.pfn(), page.as_ptr() as usize, page.len());
    let page = Page::from(page);
    let page = ExclusivePage::<Uninit>::try_from(page).map_err(|_| EBUSY)?;
    check!(page.pfn() == pfn);
    check!(probe::count(address, length, 0x5a)? == length);
    check!(!probe::is_free(address));
    drop(Page::from(page));
    Ok(())
}

fn page_in_use(cx: &mut Task) -> Result {
    let page = ExclusivePage::alloc(cx, GfpAtomic)?.zeroed();
    let (pfn, address) = (page.pfn(), page.as_ptr() as usize);
    probe::hold(address);
    let refused = ExclusivePage::<Uninit>::try_from(Page::from(page));
    probe::let_go(address);
    let Err(page) = refused else {
        check!(false);
        return Ok(());
    };
    let page = ExclusivePage::<Uninit>::try_from(page).map_err(|_| EBUSY)?;
    check!(page.pfn() == pfn);
    Ok(())
}

#[cfg(not(CONFIG_PREEMPT_RT))]
fn interrupts_disabled(_: &mut Task) -> Result {
    #[cfg(labyrinth_since_7_3)]
    {
        let disabled = kernel::interrupt::local_interrupt_disable();
        let page = ExclusivePage::alloc(&disabled, GfpAtomic);
        drop(page?);
    }
    Ok(())
}

macro_rules! once {
    ($(#[$doc:meta])* $name:ident, $mode:ident, |$callback:ident| $work:expr) => {
        $(#[$doc])*
        #[pin_data]
        struct $name {
            #[pin]
            timer: HrTimer<Self>,
            /// The outcome: 0 for none yet, 1 for success, 2 for failure.
            outcome: Atomic<u32>,
        }

        impl_has_hr_timer! {
            impl HasHrTimer<Self> for $name {
                mode: $mode<Monotonic>, field: self.timer
            }
        }

        impl HrTimerCallback for $name {
            type Pointer<'a> = Arc<Self>;

            fn run(
                this: ArcBorrow<'_, Self>,
                mut $callback: HrTimerCallbackContext<'_, Self>,
            ) -> HrTimerRestart {
                this.outcome.store(if $work { 1 } else { 2 }, Release);
                HrTimerRestart::NoRestart
            }
        }

        impl Once for $name {
            fn run() -> Result<u32> {
                let this = Arc::pin_init(
                    pin_init!(Self {
                        timer <- HrTimer::new(),
                        outcome: Atomic::new(0),
                    }),
                    GFP_KERNEL,
                )?;
                let _handle = this.clone().start(Delta::from_millis(1));
                eventually(|| this.outcome.load(Acquire) != 0)?;
                Ok(this.outcome.load(Acquire))
            }
        }
    };
}

trait Once {
    fn run() -> Result<u32>;
}

once! {
    /// Allocates in a softirq.
    Soft, RelativePinnedSoftMode, |callback| {
        let cx = of_soft_hrtimer(&mut callback);
        kind_of(cx) == Kind::Softirq
            && ExclusivePage::alloc(cx, GfpAtomic).is_ok()
            && with_hard_irq(|_| ()).is_err()
            && irqs_off(cx, |_| with_device_irq(|_| ()).is_ok() != RT)
    }
}

once! {
    /// Allocates nothing, because lockdep would report it: PREEMPT_RT has no pages there.
    Hard, RelativePinnedHardMode, |callback| {
        let cx = of_hard_hrtimer(&mut callback);
        kind_of(cx) == Kind::IrqsOff
            && with_hard_irq(|_| ()).is_ok()
            && irqs_off(cx, |_| with_hard_irq(|_| ()).is_ok())
            && with_device_irq(|_| ()).is_ok() != RT
            && with_task(|_| ()).is_err()
    }
}

once! {
    /// Allocates in a hard interrupt, or on PREEMPT_RT in a softirq.
    Unmarked, RelativePinnedMode, |callback| {
        let cx = of_hrtimer(&mut callback);
        kind_of(cx) == if RT { Kind::Softirq } else { Kind::IrqsOff }
            && ExclusivePage::alloc(cx, GfpAtomic).is_ok()
            && with_hard_irq(|_| ()).is_ok() != RT
            && with_device_irq(|cx| ExclusivePage::alloc(cx, GfpAtomic).is_ok()) == Ok(true)
            && irqs_off(cx, |_| with_hard_irq(|_| ()).is_ok() != RT)
    }
}

/// Whether the kernel serves the interrupts of devices in threads only.
const RT: bool = cfg!(CONFIG_PREEMPT_RT);

/// Tries the functions that check the context and make a token, outside of hard interrupts.
fn contexts_checked(cx: &mut Task) -> Result {
    check!(with_task(|_| ()).is_ok());
    check!(with_hard_irq(|_| ()) == Err(EPERM));
    check!(with_device_irq(|_| ()) == Err(EPERM));
    irqs_off(cx, |_| {
        check!(with_task(|_| ()) == Err(EPERM));
        check!(with_hard_irq(|_| ()) == Err(EPERM));
        // Without PREEMPT_RT this context cannot be told from the handler of a device.
        check!(with_device_irq(|_| ()).is_ok() != RT);
        Ok(())
    })?;
    in_softirq(cx, |_| {
        check!(with_task(|_| ()) == Err(EPERM));
        check!(with_hard_irq(|_| ()) == Err(EPERM));
        check!(with_device_irq(|_| ()).is_ok() == RT);
        Ok(())
    })?
}

fn kind_of<C: Context>(_cx: &C) -> Kind {
    C::KIND
}

fn in_hrtimer<T: Once>() -> Result {
    check!(T::run()? == 1);
    Ok(())
}
