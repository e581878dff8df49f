// SPDX-License-Identifier: GPL-2.0

//! Runs checks in task context. KUnit does not pass context tokens, but a [`Thread`] does.

use crate::ffi::task::thread::{
    Body,
    Running,
    Thread, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// Runs a check in task context and returns its result.
pub(super) fn in_task(check: fn(&mut Running) -> Result) -> Result {
    struct Check {
        check: fn(&mut Running) -> Result,
        passed: Arc<Atomic<bool>>,
        done: Arc<Atomic<bool>>,
    }

    impl Body for Check {
        fn run(&mut self, thread: &mut Running) {
            self.passed.store((self.check)(thread).is_ok(), Relaxed);
            self.done.store(true, Relaxed);
        }
    }

    let passed = Arc::new(Atomic::new(false), GFP_KERNEL)?;
    let done = Arc::new(Atomic::new(false), GFP_KERNEL)?;
    let thread = Thread::spawn(
        c"labyrinth/kunit",
        Check {
            check,
            passed: passed.clone(),
            done: done.clone(),
        },
    )?;
    while !done.load(Relaxed) {
        nap();
    }
    drop(thread);

    passed.load(Relaxed).then_some(()).ok_or(EINVAL)
}

/// Lets other threads run for a moment.
pub(super) fn nap() {
    kernel::time::delay::fsleep(kernel::time::Delta::from_millis(1));
}

/// Turns a condition into a result.
pub(super) fn check(condition: bool) -> Result {
    condition.then_some(()).ok_or(EINVAL)
}

/// Naps until a condition holds, for ten seconds at most.
pub(super) fn eventually(condition: impl Fn() -> bool) -> Result {
    for _ in 0..10_000 {
        if condition() {
            return Ok(());
        }
        nap();
    }
    Err(ETIMEDOUT)
}
