// SPDX-License-Identifier: GPL-2.0

//! Totals of all devices, in `/sys/kernel/debug/rust_dma/tally`. Their transfers
//! are counted by labyrinth, in its own files.

use core::fmt;
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

macro_rules! tally {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The numbers.
        pub(crate) struct Tally {
            $($(#[$doc])* pub(crate) $name: Count,)*
        }

        impl Tally {
            const fn new() -> Self {
                Self { $($name: Count(Atomic::new(0)),)* }
            }
        }

        impl Tally {
            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, concat!(stringify!($name), " {}"), self.$name.get())?;)*
                Ok(())
            }
        }
    };
}

tally! {
    /// Devices that have this driver.
    devices,
    /// Devices that the driver was offered.
    probed,
    /// Rounds that ended in the interrupt itself.
    rounds_interrupt,
    /// Rounds that ended in a softirq.
    rounds_softirq,
    /// Transfers whose bytes were right.
    verified,
    /// Transfers whose bytes were not.
    corrupted,
    /// Blocks of pages that were allocated.
    allocated,
    /// Allocations that failed.
    not_allocated,
    /// Blocks that were mapped.
    mapped,
    /// Blocks that could not be mapped, and were given back as they were.
    given_back,
    /// Uses of a block that was still mapped from the last one.
    recycled,
    /// Blocks that were not tried, as one before them could not be mapped.
    untried,
    /// Trespasses that changed a page.
    trespass_written,
    /// Trespasses that read a page.
    trespass_read,
    /// Trespasses that were tried.
    trespasses,
}

/// One number.
pub(crate) struct Count(Atomic<u64>);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0.add(n, Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn one_less(&self) {
        self.add(u64::MAX);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The tally of this load of the module.
pub(crate) static TALLY: Tally = Tally::new();

/// All numbers.
pub(crate) struct Shown;

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TALLY.write(f)
    }
}
