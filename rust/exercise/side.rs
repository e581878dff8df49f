// SPDX-License-Identifier: GPL-2.0

//! The cycles of one side of an exercise. A side is a timer or a thread on one CPU.

use super::{
    control::Resources,
    pace::Pace, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    context::Task,
    cpu::OnlineCpu,
    task::{
        Body,
        Running,
        ShouldStop,
        Thread, //
    },
    time::{
        Expiry,
        Handler,
        Next,
        Timer, //
    }, //
};

/// A part of a cycle that is done without a pause.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Allocate a batch and hold it.
    Begin,
    /// Free the batch that is held.
    Finish,
    /// Allocate a batch and free it.
    Whole,
}

/// A side of an exercise. It allocates in one context on one CPU.
pub(super) trait Side: Send + 'static {
    /// The context of the timer or thread that calls it.
    type Context;

    /// It rests at least this many times as long as it worked.
    const REST: u32 = 1;

    /// Does one step.
    fn step(&mut self, cx: &mut Self::Context, step: Step);
}

/// A side and its place in the cycle.
pub(super) struct Cycles<S> {
    side: S,
    resources: Arc<Resources>,
    /// While a batch is held: the time since the cycle began, and how long to hold it.
    holding: Option<(Pace, u32)>,
}

/// The timer of a side.
pub(super) type TimerOf<S> = Timer<Cycles<S>, <S as Side>::Context>;

/// The thread of a side.
pub(super) type ThreadOf<S> = Thread<Cycles<S>>;

impl<S: Side> Cycles<S> {
    /// Makes a side that holds nothing.
    pub(super) fn new(resources: &Arc<Resources>, side: S) -> Self {
        Self {
            side,
            resources: resources.clone(),
            holding: None,
        }
    }

    /// Does the next step. Returns how many microseconds to wait for the one after it: until the
    /// batch has been held long enough, or until the period is over and the side has rested.
    fn step(&mut self, cx: &mut S::Context) -> u32 {
        let settings = &self.resources.settings;
        let (pace, held_us) = if let Some(holding) = self.holding.take() {
            self.side.step(cx, Step::Finish);
            holding
        } else {
            let pace = Pace::begin();
            let hold_us = settings.hold_us();
            if hold_us != 0 {
                self.side.step(cx, Step::Begin);
                self.holding = Some((pace, hold_us));
                return hold_us;
            }
            self.side.step(cx, Step::Whole);
            (pace, 0)
        };
        pace.rest_us(settings, held_us, S::REST)
    }
}

impl<S: Side<Context = Task>> Cycles<S> {
    /// Starts a thread for this side. Task context only, may sleep.
    pub(super) fn thread_on(self, cpu: OnlineCpu<'_>) -> Result<ThreadOf<S>> {
        let title = self.resources.row.title;
        Thread::spawn_on(cpu, title, self)
    }
}

impl<S: Side<Context: Expiry>> Cycles<S> {
    /// Starts a timer for this side. Task context only.
    pub(super) fn timer_on(self, cpu: OnlineCpu<'_>) -> Result<Pin<KBox<TimerOf<S>>>> {
        let period_us = self.resources.settings.period_us();
        KBox::pin_init(Timer::start_on(cpu, period_us, self), GFP_KERNEL)
    }
}

impl<S: Side<Context = Task>> Body for Cycles<S> {
    fn run(&mut self, thread: &mut Running) {
        loop {
            let wait_us = self.step(thread.context());
            if thread.sleep_us(wait_us) == ShouldStop::Yes {
                break;
            }
        }
        if self.holding.take().is_some() {
            self.side.step(thread.context(), Step::Finish);
        }
    }
}

impl<C: Expiry, S: Side<Context = C>> Handler<C> for Cycles<S> {
    fn expired(&mut self, cx: &mut C) -> Next {
        Next::After(self.step(cx))
    }
}
