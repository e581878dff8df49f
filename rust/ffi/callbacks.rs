// SPDX-License-Identifier: GPL-2.0

//! That the module does not go as long as the kernel may call it.
//!
//! A timer, a thread, a file: whatever the kernel has the address of is taken back when its owner is
//! dropped. But safe code can leak an owner (`mem::forget`, or two `Arc`s that hold each other), and then
//! the kernel would call code that is gone once the module is unloaded. So the owners are counted: each
//! has a [`Callback`], and [`LastOut`] waits until there is none. A leak thus costs the unloading of the
//! module, and says so in the kernel log, but no memory is used that was freed.
//!
//! This needs a [`LastOut`] as the last field of the module that uses these wrappers, and no type
//! demands one. `scripts/soundness.py` checks the modules of this project; the author of any other
//! module has to take care. Without a [`LastOut`], a timer that safe code has leaked calls into
//! freed memory.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use super::saturating;
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
static OUT: Count = Count::new(0);

/// A count that saturates: no number of leaks can make it 0 while an owner is left.
pub(crate) struct Count(Atomic<u32>);

impl Count {
    /// Makes one.
    pub(crate) const fn new(count: u32) -> Self {
        Self(Atomic::new(count))
    }

    /// The count. All that happened before a [`Self::down`] is visible once its effect is. Any
    /// context.
    pub(crate) fn get(&self) -> u32 {
        self.0.load(Acquire)
    }

    /// Counts up. Any context.
    pub(crate) fn up(&self) {
        self.change(saturating::one_more);
    }

    /// Counts down. Any context.
    pub(crate) fn down(&self) {
        self.change(saturating::one_less);
    }

    fn change(&self, rule: fn(u32) -> u32) {
        let mut count = self.0.load(Relaxed);
        // Code that sees the new count sees what was done before it, above all by an owner that is
        // dropped.
        while let Err(now) = self.0.cmpxchg(count, rule(count), Release) {
            count = now;
        }
    }
}

/// A part of every value that the kernel has the address of, to be dropped when it has it no more: as a
/// field it is, since fields are dropped after their owner's `drop`.
pub(super) struct Callback(());

impl Callback {
    /// Counts one. Any context.
    pub(super) fn new() -> Self {
        OUT.up();
        Self(())
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        OUT.down();
    }
}

/// How many there are. Any context.
#[cfg(CONFIG_KUNIT = "y")]
pub(crate) fn out() -> u32 {
    OUT.get()
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
        let out = OUT.get();
        if out != 0 {
            pr_err!(
                "{out} owner(s) of callbacks leaked: the module stays, as it may still be called\n"
            );
        }
        while OUT.get() != 0 {
            fsleep(Delta::from_millis(100));
        }
    }
}
