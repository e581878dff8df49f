// SPDX-License-Identifier: GPL-2.0

//! The binding of `include/labyrinth.h`, all of it by bindgen.

#![allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    missing_docs,
    non_camel_case_types,
    unreachable_pub
)]

use kernel::ffi;

include!(env!("LABYRINTH_API"));
