// SPDX-License-Identifier: GPL-2.0

//! The experiment of `make wall`: several ways to get pages meet the same burst of requests, one
//! after the other, while memory is full.
//!
//! # Vocabulary
//!
//! - *Contestant*: a way to get pages ([`Contestant`](contestant::Contestant)).
//! - *Burst*: so many requests in a row, in the timer softirq; then all pages are released, in the
//!   same softirq. `GFP_KERNEL`, which may not be used there, bursts in the task that asks for it.
//! - *Emergency page*: see [`Gauge`](labyrinth::mm::Gauge).
//!
//! What fills memory and who bursts when is up to user space. Within a burst nothing else runs on
//! the CPU, so nobody can reclaim meanwhile, and nobody else suffers from what is used up: all of
//! it is back before the softirq ends.

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

pub(crate) use experiment::Experiment;
pub(crate) use files::create;
