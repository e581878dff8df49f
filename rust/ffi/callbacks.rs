// SPDX-License-Identifier: GPL-2.0

//! That the module does not go as long as the kernel may call it.
//!
//! A timer, a thread, a file: whatever the kernel has the address of is taken back when its owner is
//! dropped. But safe code can leak an owner (`mem::forget`, or two `Arc`s that hold each other), and then
//! the kernel would call code that is gone once the module is unloaded. So the owners are counted: each
//! has a [`Callback`], and [`LastOut`] waits until there is none. A leak thus costs the unloading of the
//! module, and says so in the kernel log, but no memory is used that was freed.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// How many there are.
static OUT: Atomic<i32> = Atomic::new(0);

/// A part of every value that the kernel has the address of, to be dropped when it has it no more: as a
/// field it is, since fields are dropped after their owner's `drop`.
pub(super) struct Callback(());

impl Callback {
    /// Counts one. Any context.
    pub(super) fn new() -> Self {
        OUT.add(1, Relaxed);
        Self(())
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // Whoever sees this sees that the owner is done.
        OUT.fetch_sub(1, Release);
    }
}

/// How many there are. Any context.
#[cfg(CONFIG_KUNIT = "y")]
pub(crate) fn out() -> i32 {
    OUT.load(Acquire)
}

/// To be dropped as the last thing of the module: waits until the kernel can call nothing of it any
/// more, for ever if an owner was leaked. Task context only, sleeps.
pub(crate) struct LastOut(());

impl LastOut {
    /// Makes it.
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl Drop for LastOut {
    fn drop(&mut self) {
        let out = OUT.load(Acquire);
        if out != 0 {
            pr_err!(
                "{out} owner(s) of callbacks leaked: the module stays, as it may still be called\n"
            );
        }
        while OUT.load(Acquire) != 0 {
            fsleep(Delta::from_millis(100));
        }
    }
}
