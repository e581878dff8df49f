// SPDX-License-Identifier: GPL-2.0

//! Differences between architectures.
//!
//! An architecture needs no code of its own: [`generic`] works on all of them. One that has a
//! faster way adds a file beside [`generic`] with the same items, a line here, and a line in
//! `arch.h` if it has a C side.

#[cfg_attr(
    all(target_arch = "x86_64", not(CONFIG_UML)),
    allow(
        dead_code,
        reason = "it is compiled on x86, too, so that it stays correct"
    )
)]
mod generic;
#[cfg(all(target_arch = "x86_64", not(CONFIG_UML)))]
mod x86;

#[cfg(not(all(target_arch = "x86_64", not(CONFIG_UML))))]
pub(crate) use generic::*;
#[cfg(all(target_arch = "x86_64", not(CONFIG_UML)))]
pub(crate) use x86::*;
