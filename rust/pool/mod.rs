// SPDX-License-Identifier: GPL-2.0

//! The sources of pages: pools, and the tiers that they ask.
//!
//! # Vocabulary
//!
//! - A *page source* hands out pages and takes them back. Its bounds say in which contexts.
//! - A *tier* ([`Tier`]) is one of the sources that a [`Pool`] asks in order. The tiers and their
//!   order are a table, in `logic/tier.rs`.
//! - The *per-CPU cache* keeps pages for the CPU that gave them back. The *reserve* belongs to the
//!   pool. The *emergency reserve* belongs to the kernel: it is the memory below the min watermark.
//! - *Excluded* memory must not be used by a pool, see [`Excluded`].
//! - The pool manager ([`PoolManager`]) *refills* pools in task context. A request never does.

#![forbid(unsafe_code)]

mod attributed;
mod batch;
mod call;
mod events;
mod exclusion;
mod logic;
mod manager;
mod single;
pub(crate) mod tier;
mod tiered;

pub use attributed::{
    AttributedCounts,
    AttributedPool, //
};
pub use batch::{
    Batch,
    Held,
    Supply, //
};
pub use logic::{
    excluded::{
        Excluded,
        InvalidExclusion,
        Zone,
        MAX_NODES, //
    },
    request::{
        Priority,
        Request, //
    },
    sizing::AutoReserve,
    target::Target,
    tier::Tier, //
};
pub use manager::{
    PoolManager,
    RegisteredPool, //
};
pub use single::{
    alloc_single,
    Accounting, //
};
pub use tier::{
    cache::{
        CpuCache,
        MAX_CACHE, //
    },
    emergency::Emergency,
    reserve::{
        Reserve,
        MAX_RESERVE, //
    }, //
};
pub use tiered::{
    Pool,
    PoolConfig, //
};

use crate::{
    page::transfer,
    stats::{
        label,
        Registration,
        Row,
        Snapshot,
        Stats, //
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

static ROWS: [Row<Snapshot>; 1] = [Row::latencies(
    "page_alloc_tier_latency_seconds",
    "Latency of page allocations by the tier that was asked last.",
    &[label!("tier", Tier)],
    1,
    |snapshot, [tier, ..]| snapshot.sources().get(tier),
)];

/// Makes reports show and reset `stats`, with the transfers of pages and the latencies of each
/// tier. Task context only, may sleep. Fails as [`Stats::register`] does.
pub fn register(stats: &Arc<Stats>) -> Result<Registration> {
    stats.register(&[&ROWS, &transfer::ROWS])
}
