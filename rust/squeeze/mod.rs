// SPDX-License-Identifier: GPL-2.0

//! `/dev/labyrinth_squeeze`: takes free memory until only a few pages of headroom are left.
//!
//! The headroom is the number of pages that a burst of `GFP_ATOMIC` requests on one CPU gets before
//! the first refusal. A process opens the file, takes pages until there are no more, and lets the
//! module give back the pages for the headroom. All pages are given back when the file is closed,
//! also when the process dies.
//!
//! | command                                        | effect                                     |
//! |------------------------------------------------|--------------------------------------------|
//! | `start HEADROOM MOST MILLISECONDS REFILL FORCE`| starts to hold pages, at most `MOST`       |
//! | `take`                                         | takes some pages; `EAGAIN`: call it again  |
//! | `hold`                                         | holds the headroom from now on             |
//!
//! A timer on each CPU checks the headroom every few milliseconds. It takes the pages that others
//! have freed. It replaces pages that others have taken only if `REFILL` is 1. When the time is
//! over, the timers give all pages back, even if SIGSTOP has stopped the process.
//!
//! When the kernel has run out of memory and would kill a process, all pages are given back at
//! once, and the squeeze is over, unless `FORCE` is 1.
//!
//! # Context
//!
//! Commands run in task context and timers in the timer softirq, both under one lock that disables
//! bottom halves. No section under this lock sleeps or wakes `kswapd`, and the work of each is
//! bounded ([`work`]).
//!
//! # Errors
//!
//! | request                                                       | error    |
//! |---------------------------------------------------------------|----------|
//! | a second process opens the file                               | `EBUSY`  |
//! | an unknown command, a wrong number, or a command out of order | `EINVAL` |

#![forbid(unsafe_code)]

mod hold;
mod plan;
mod work;

use core::{
    fmt,
    pin::Pin, //
};
use hold::{
    Hold,
    Order, //
};
use kernel::{
    new_mutex,
    prelude::*,
    static_lock_class,
    sync::{
        Arc,
        Mutex, //
    }, //
};
use labyrinth::{
    context::{
        IrqsOn,
        Softirq,
        Task, //
    },
    cpu::HotplugGuard,
    mm::{
        OomContext,
        OomNotifier,
        OutOfMemory, //
    },
    session::{
        Session,
        SessionDevice, //
    },
    sync::SpinLockBh,
    time::{
        Handler,
        Next,
        Timer, //
    }, //
};

/// The pause between two checks on a CPU. The timer wheel rounds it up.
const PERIOD_US: u32 = 1000;
/// The longest duration of a squeeze: an hour.
const MAX_MS: u64 = 3_600_000;
/// The largest headroom, in pages: 4 GiB.
const MAX_HEADROOM: u64 = 1 << 20;

/// The device.
pub(crate) type Device = SessionDevice<Squeeze>;

/// Makes the device, which no process can open yet. Task context only, may sleep.
pub(crate) fn device() -> Result<Pin<KBox<Device>>> {
    SessionDevice::new(c"labyrinth_squeeze")
        .inspect_err(|_| pr_err!("cannot create the device /dev/labyrinth_squeeze\n"))
}

/// The squeeze of an open file.
pub(crate) struct Squeeze {
    callbacks: Pin<KBox<Mutex<Callbacks>>>,
    hold: SharedHold,
}

/// Everything that calls a squeeze that has been started.
struct Callbacks {
    timers: KVec<CpuTimer>,
    notifier: Option<OomNotifier<GiveBack>>,
}

type SharedHold = Arc<SpinLockBh<Option<Hold>>>;
type CpuTimer = Pin<KBox<Timer<Tick>>>;

/// Gives all pages back when the kernel has run out of memory.
struct GiveBack(SharedHold);

impl OutOfMemory for GiveBack {
    fn give_back(&self, cx: &mut OomContext) -> usize {
        let pages = self
            .0
            .with(cx, |_, hold| hold.as_mut().map_or(0, Hold::run_out));

        give_all_back(cx, &self.0);
        // The timers may have given back a part of them.
        pages as usize
    }
}

/// Gives all pages back. Bottom halves and, on a kernel that can be preempted, other tasks can run
/// in between.
fn give_all_back<C: IrqsOn>(cx: &mut C, hold: &SharedHold) {
    while hold.with(cx, |_, hold| hold.as_mut().is_some_and(Hold::give_back)) {}
}

/// The handler of the timer of one CPU.
struct Tick {
    hold: SharedHold,
    settled: bool,
}

impl Handler for Tick {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        let settled = &mut self.settled;
        let more = self.hold.with(cx, |cx, hold| {
            hold.as_mut().is_some_and(|hold| hold.tick(cx, settled))
        });

        if more {
            Next::After(PERIOD_US)
        } else {
            Next::Stop
        }
    }
}

impl Squeeze {
    /// Starts a squeeze, and what will end it: the timers when its time is over, and the notifier
    /// when memory has run out.
    fn start(&self, cx: &mut Task, order: Order) -> Result {
        let mut callbacks = self.callbacks.lock();
        if !callbacks.timers.is_empty() {
            return Err(EINVAL);
        }
        self.hold.with(cx, |_, hold| *hold = Some(Hold::new(order)));

        let started = self.start_callbacks(cx, order, &mut callbacks);
        if started.is_err() {
            // Without a timer on each CPU, a squeeze might have no end.
            callbacks.timers.clear();
            drop(self.hold.with(cx, |_, hold| hold.take()));
            callbacks.notifier = None;
        }
        started
    }

    fn start_callbacks(&self, cx: &mut Task, order: Order, callbacks: &mut Callbacks) -> Result {
        if !order.force {
            callbacks.notifier = Some(OomNotifier::new(GiveBack(self.hold.clone()))?);
        }
        let cpus = HotplugGuard::new(cx);
        let count = cpus.online().count() as u64;
        self.hold.with(cx, |_, hold| {
            if let Some(hold) = hold {
                hold.set_cpus(count);
            }
        });
        for cpu in cpus.online() {
            let tick = Tick {
                hold: self.hold.clone(),
                settled: false,
            };
            let timer = KBox::pin_init(Timer::start_on(cpu, PERIOD_US, tick), GFP_KERNEL)?;
            callbacks.timers.push(timer, GFP_KERNEL)?;
        }
        Ok(())
    }
}

impl Session for Squeeze {
    fn open(_cx: &Task) -> Result<Self> {
        Ok(Self {
            callbacks: KBox::pin_init(
                new_mutex!(Callbacks {
                    timers: KVec::new(),
                    notifier: None,
                }),
                GFP_KERNEL,
            )?,
            hold: Arc::pin_init(
                SpinLockBh::new(None, c"labyrinth_squeeze", static_lock_class!()),
                GFP_KERNEL,
            )?,
        })
    }

    fn command(&self, cx: &mut Task, text: &CStr) -> Result {
        let mut words = text.to_str()?.split_ascii_whitespace();
        let command = words.next().ok_or(EINVAL)?;

        if command == "start" {
            let mut number = || -> Result<u64> {
                let word = words.next().ok_or(EINVAL)?;
                word.parse().map_err(|_| EINVAL)
            };
            let (headroom, most) = (number()?, number()?);
            let (ms, refill, force) = (number()?, number()?, number()?);
            if !(1..=MAX_MS).contains(&ms) || refill > 1 || force > 1 || headroom > MAX_HEADROOM {
                return Err(EINVAL);
            }
            return self.start(
                cx,
                Order {
                    headroom,
                    most,
                    nanos: ms * 1_000_000,
                    refill: refill == 1,
                    force: force == 1,
                },
            );
        }
        self.hold.with(cx, |cx, hold| {
            let hold = hold.as_mut().ok_or(EINVAL)?;
            match command {
                "take" if hold.take(cx) => Err(EAGAIN),
                "take" => Ok(()),
                "hold" => {
                    hold.hold();
                    Ok(())
                }
                _ => Err(EINVAL),
            }
        })
    }

    fn report(&self, cx: &mut Task, out: &mut (dyn fmt::Write + Send)) -> fmt::Result {
        self.hold.with(cx, |cx, hold| match hold {
            Some(hold) => hold.report(cx, out),
            None => out.write_str("phase idle\n"),
        })
    }

    fn close(&self, cx: &mut Task) {
        let mut callbacks = self.callbacks.lock();

        callbacks.timers.clear();
        give_all_back(cx, &self.hold);
        // As long as pages are held, the kernel can ask for them.
        callbacks.notifier = None;
    }
}
