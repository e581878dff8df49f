// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers over the parts of the kernel that the `kernel` crate does not wrap yet.
//!
//! Everything above this module is safe Rust, apart from the page type itself. Only `ffi` and
//! [`page`](crate::page) use the raw bindings of [`helpers.h`]; all other parts forbid `unsafe`.
//!
//! [`helpers.h`]: rust/ffi/helpers.h

pub(crate) mod arch;
pub(crate) mod compat;
pub(crate) mod context;
pub(crate) mod cpu;
pub(crate) mod debugfs;
pub(crate) mod exports;
pub(crate) mod irq;
pub(crate) mod misc_device;
pub(crate) mod mm;
pub(crate) mod number;
#[cfg(CONFIG_PCI)]
pub(crate) mod pci;
pub(crate) mod percpu;
pub(crate) mod report;
pub(crate) mod session;
pub(crate) mod sync;
pub(crate) mod task;
pub(crate) mod time;
pub(crate) mod trace;
pub(crate) mod unload;

/// The bindgen output for `helpers.h`, made by a rule in `Kbuild`.
#[allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    unreachable_pub
)]
pub(crate) mod helpers {
    use kernel::bindings::*;
    use kernel::ffi;

    include!(env!("LABYRINTH_BINDINGS"));
}
