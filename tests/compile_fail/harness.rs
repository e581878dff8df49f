// SPDX-License-Identifier: GPL-2.0

//! The crate that cases are compiled in: the parts of the module that have an interface to misuse,
//! and cases beside them, with no more privileges than the exercises have.

#[path = "../../rust/ffi/mod.rs"]
mod ffi;
#[path = "../../rust/page/mod.rs"]
mod page;
#[path = "../../rust/source/mod.rs"]
mod source;
#[path = "../../rust/stats/mod.rs"]
mod stats;

/// What `module!` defines for `pr_err!` and its like.
const __LOG_PREFIX: &[u8] = b"labyrinth\0";

/// The kernel crate's guard of disabled interrupts. Before Linux 7.3 the crate has none, and a
/// stand-in is used.
mod guard {
    #[cfg(labyrinth_since_7_3)]
    pub(crate) use kernel::interrupt::{
        local_interrupt_disable,
        LocalInterruptDisabled, //
    };

    #[cfg(not(labyrinth_since_7_3))]
    pub(crate) struct LocalInterruptDisabled(kernel::types::NotThreadSafe);

    #[cfg(not(labyrinth_since_7_3))]
    pub(crate) fn local_interrupt_disable() -> LocalInterruptDisabled {
        LocalInterruptDisabled(kernel::types::NotThreadSafe)
    }
}

/// A case in a module of its own. The compiler is told of a file with one or more of these.
macro_rules! case {
    ($name:ident, $file:literal) => {
        mod $name {
            use crate::{
                ffi::{
                    context::*,
                    cpu::*,
                    debugfs::*,
                    dma::*,
                    each_cpu::*,
                    hard_timer::*,
                    hotplug::*,
                    irq::*,
                    lock::*,
                    percpu::*,
                    percpu_cell::*,
                    published::*,
                    raw_lock::*,
                    shrinker::*,
                    thread::*,
                    timer::*,
                    user_map::*,
                    waker::*, //
                },
                guard::*,
                page::{
                    dma::*,
                    *, //
                },
                source::*, //
            };
            use core::ops::DerefMut;
            use kernel::{
                bindings,
                device::{
                    Bound,
                    Device, //
                },
                prelude::*,
                sync::Arc,
                types::NotThreadSafe, //
            };

            include!($file);
        }
    };
}

include!(env!("LABYRINTH_CASES"));
