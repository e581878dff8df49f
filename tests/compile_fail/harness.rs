// SPDX-License-Identifier: GPL-2.0

//! The crate that a case is compiled in: the parts of the module that have an interface to misuse,
//! and the case beside them, with no more privileges than the exercises have.

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

mod case {
    use crate::{
        ffi::{
            context::*,
            cpu::*,
            debugfs::*,
            hard_timer::*,
            hotplug::*,
            irq::*,
            lock::*,
            percpu::*,
            percpu_cell::*,
            raw_lock::*,
            shrinker::*,
            thread::*,
            timer::*,
            waker::*, //
        },
        page::*,
        source::*, //
    };
    use core::ops::DerefMut;
    use kernel::{
        bindings,
        prelude::*,
        sync::Arc,
        types::NotThreadSafe, //
    };

    include!(env!("LABYRINTH_CASE"));
}
