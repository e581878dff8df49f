// SPDX-License-Identifier: GPL-2.0

//! Where pages come from.
//!
//! # Vocabulary
//!
//! - A [`PageSource`](logic::page_source::PageSource) hands out pages and takes them back; its
//!   bounds say in which contexts.
//! - A *room* ([`Room`]) is a place in the chain of sources that a [`Pool`] asks in order.
//! - The *per-CPU cache* keeps pages for the CPU that gave them back, the *reserve* is the pool's
//!   own, the *emergency reserve* is the kernel's: what lies below the min watermark.
//! - Memory can be *barred*: [`Barred`] says which a pool must not use.
//! - *Refilling* is done by the [`Keeper`], in task context, never by a request.

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
    Supply, //
};
pub use cache::MAX_CACHE;
pub use keeper::{
    Keeper,
    KeptPool, //
};
pub use logic::barred::{
    Barred,
    Zone,
    MAX_NODES, //
};
pub use logic::request::{
    Priority,
    Request,
    Room, //
};
#[cfg(labyrinth_bench)]
pub use logic::{
    page_source::PageSource,
    stack::Stack, //
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
