// SPDX-License-Identifier: GPL-2.0

//! The sources of pages: pools, and the tiers that they ask.
//!
//! # Vocabulary
//!
//! - A [`PageSource`](logic::page_source::PageSource) hands out pages and takes them back. Its
//!   bounds say in which contexts.
//! - A *tier*, in code and reports *room* ([`Room`]), is one of the sources that a [`Pool`] asks in
//!   order.
//! - The *per-CPU cache* keeps pages for the CPU that gave them back. The *reserve* belongs to the
//!   pool. The *emergency reserve* belongs to the kernel: it is the memory below the min watermark.
//! - *Barred* memory must not be used by a pool, see [`Barred`].
//! - The pool manager ([`Keeper`]) *refills* pools in task context. A request never does.

#![forbid(unsafe_code)]

mod batch;
mod buddy;
mod cache;
mod emergency;
mod events;
mod gate;
mod keeper;
mod logic;
mod pool;
mod reserve;
mod single;

pub use batch::{
    Batch,
    Held,
    Supply, //
};
pub use cache::MAX_CACHE;
pub use keeper::{
    Keeper,
    KeptPool, //
};
pub use logic::barred::{
    Barred,
    Refused,
    Zone,
    MAX_NODES, //
};
pub use logic::request::{
    Priority,
    Request,
    Room, //
};
pub use pool::{
    Pool,
    PoolConfig, //
};
pub use reserve::MAX_RESERVE;
pub use single::{
    alloc_single,
    Entry, //
};
