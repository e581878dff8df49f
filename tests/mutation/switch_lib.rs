// SPDX-License-Identifier: GPL-2.0
// Appended to rust/lib.rs in the copies that mutants.py makes.

#[doc(hidden)]
pub use ffi::{mutant, once};
