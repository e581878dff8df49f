// SPDX-License-Identifier: GPL-2.0

//! The library's own files.

#[path = "../../../../rust/ffi/percpu/cell.rs"]
pub(crate) mod cell;
#[path = "../../../../rust/ffi/percpu/counters.rs"]
pub(crate) mod counters;
#[path = "../../../../rust/ffi/percpu/stack.rs"]
pub(crate) mod stack;
