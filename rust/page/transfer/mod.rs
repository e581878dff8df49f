// SPDX-License-Identifier: GPL-2.0

//! Transfers of ownership: the types that a page can be transferred to, and the ways back.
//!
//! The state diagram in [`crate::page`] shows all of them. Drivers can use all types that this file
//! exports.

pub(crate) mod canary;
pub(crate) mod dma;
pub(crate) mod foreign;
pub(crate) mod guarded;
mod kernel_page;
pub(crate) mod secret;
pub(crate) mod shared;
pub(crate) mod user;
pub(crate) mod vmap;

pub use guarded::{
    Damaged,
    Guarded, //
};
pub use secret::Secret;
pub use shared::{
    Shareable,
    Shared, //
};
pub use user::{
    Home,
    UserPage, //
};
pub use vmap::VmappedPages;
