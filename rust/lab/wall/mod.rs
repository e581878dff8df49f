// SPDX-License-Identifier: GPL-2.0

//! The experiment of `make wall`. Several ways to get pages serve the same burst of requests, one
//! after the other, while memory is full.
//!
//! # Vocabulary
//!
//! - *Contestant*: a way to get pages ([`Contestant`](contestant::Contestant)).
//! - *Sized pool*: a pool whose reserve sizes itself. Its bursts may have any size ([`sized`]).
//! - *Burst*: a number of requests in a row, in the timer softirq. Then all pages are released, in
//!   the same softirq. `GFP_KERNEL` may not be used there, so its burst runs in the calling task.
//! - *Emergency page*: see [`Gauge`](labyrinth::mm::Gauge).
//!
//! User space decides what fills memory, and when each contestant runs its burst. Within a burst
//! nothing else runs on the CPU, so no code can reclaim memory in the meantime. No code suffers
//! from the memory that is used up either: all of it is back before the softirq ends.

#![forbid(unsafe_code)]

mod bulk;
mod burst;
mod chain;
mod contestant;
mod experiment;
mod files;
mod mempool;
mod plain;
mod record;
mod runner;
mod sized;

pub(crate) use experiment::Experiment;
pub(crate) use files::create;
