// SPDX-License-Identifier: GPL-2.0

//! The only part of this crate with C and with `unsafe`: the alternatives to labyrinth.

pub(crate) mod bench;
pub(crate) mod mempool;

/// The bindgen output for `lab.h`, made by a rule in `Kbuild`.
#[allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    unreachable_pub
)]
mod raw {
    use kernel::bindings::*;
    use kernel::ffi;

    include!(env!("LABYRINTH_LAB_BINDINGS"));
}
