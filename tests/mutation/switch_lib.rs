// SPDX-License-Identifier: GPL-2.0
// mutants.py appends this file to rust/lib.rs in the copies that it makes.

#[doc(hidden)]
pub use ffi::{mutant, once};
