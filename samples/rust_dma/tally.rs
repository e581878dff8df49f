// SPDX-License-Identifier: GPL-2.0

//! Totals of all devices. labyrinth shows them in its file `metrics`, with the name of this module:
//! `labyrinth_rust_dma_verified_total`. labyrinth itself counts the transfers of ownership.

use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};
use labyrinth::stats::Row;

/// Makes the numbers, and a row of statistics for each.
macro_rules! tally {
    ($($kind:ident $name:ident: $help:literal,)*) => {
        /// The numbers.
        pub(crate) struct Tally {
            $(pub(crate) $name: Count,)*
        }

        impl Tally {
            const fn new() -> Self {
                Self { $($name: Count(Atomic::new(0)),)* }
            }
        }

        pub(crate) static ROWS: &[Row<()>] = &[
            $(Row::$kind(stringify!($name), $help, &[], |(), _| TALLY.$name.get()),)*
        ];
    };
}

tally! {
    gauge devices: "Devices that have this driver.",
    counter probed: "Devices that the driver was offered.",
    counter rounds_interrupt: "Rounds that ended in the interrupt itself.",
    counter rounds_softirq: "Rounds that ended in a softirq.",
    counter verified: "Transfers whose bytes were right.",
    counter corrupted: "Transfers whose bytes were not.",
    counter allocated: "Blocks of pages that were allocated.",
    counter not_allocated: "Allocations that failed.",
    counter mapped: "Blocks that were mapped.",
    counter given_back: "Blocks that could not be mapped, and were given back as they were.",
    counter recycled: "Uses of a block that was still mapped from the last one.",
    counter untried: "Blocks that were not tried, as one before them could not be mapped.",
    counter trespass_written: "Trespasses that changed a page.",
    counter trespass_read: "Trespasses that read a page.",
    counter trespasses: "Trespasses that were tried.",
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
