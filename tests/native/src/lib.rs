// SPDX-License-Identifier: GPL-2.0

//! The per-CPU cache and the reserve of a pool as native code, and other stores of pages to compare
//! them with.
//!
//! The cache and the reserve are the library's own source files. Small functions stand for the
//! kernel: a thread is a CPU, and a spinlock is a word.

#[allow(dead_code, unused_imports, missing_docs)]
mod ffi {
    #[path = "../../../../rust/ffi/arch/generic.rs"]
    pub(crate) mod arch;

    pub(crate) mod cpu;
    pub(crate) mod helpers;

    pub(crate) mod percpu;
}

#[allow(dead_code, unused_imports)]
#[path = "../../../rust/pool/logic/mod.rs"]
mod logic;

mod lock;
mod peers;
mod reserve;

pub use ffi::cpu::{
    run_as,
    CPUS, //
};
pub use peers::{
    Cache,
    Locked,
    Peer,
    Queue,
    Ring,
    Token, //
};
pub use reserve::Reserve;

/// Stands for a page. It cannot be copied.
#[derive(Debug)]
pub struct Page(#[allow(dead_code)] core::num::NonZero<usize>);

impl Page {
    /// Makes a number of pages.
    pub fn some(count: usize) -> impl Iterator<Item = Self> {
        (1..=count).filter_map(core::num::NonZero::new).map(Self)
    }
}
