// SPDX-License-Identifier: GPL-2.0

//! The crate that cases are compiled in. It uses the built library as a driver does, with no more
//! privileges than any other crate has.

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

    // SAFETY: It is made nowhere but in the function below, which no case calls.
    #[cfg(not(labyrinth_since_7_3))]
    unsafe impl labyrinth::context::Context for LocalInterruptDisabled {
        const KIND: labyrinth::context::Kind = labyrinth::context::Kind::IrqsOff;
    }

    #[cfg(not(labyrinth_since_7_3))]
    pub(crate) fn local_interrupt_disable() -> LocalInterruptDisabled {
        LocalInterruptDisabled(kernel::types::NotThreadSafe)
    }
}

/// A case in a module of its own. The compiler gets a file with one or more of these.
macro_rules! case {
    ($name:ident, $file:literal) => {
        mod $name {
            use crate::guard::*;
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
            use labyrinth::{
                context::*,
                cpu::*,
                debugfs::*,
                dma::*,
                irq::*,
                mm::*,
                percpu::*,
                pool::*,
                sync::{
                    Handle,
                    Handles,
                    RawSpinLock,
                    RcuSlot,
                    SpinLockBh, //
                },
                task::*,
                time::*,
                user_map::*,
                *, //
            };

            include!($file);
        }
    };
}

include!(env!("LABYRINTH_CASES"));
