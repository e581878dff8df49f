// SPDX-License-Identifier: GPL-2.0

//! Hand-overs of pages, tried in every context where they are allowed: a module of its own that has the
//! lower parts of labyrinth within, as a driver that is built with them would.
//!
//! Each subject is a file with its cases, which [`control`] runs when `tests/handover.py` says so. A new
//! subject is a line in [`SUBJECTS`].

#[allow(dead_code, unused_imports, unused_macros, reason = "not all is tried")]
#[path = "../../../rust/ffi/mod.rs"]
mod ffi;
#[allow(dead_code, unused_imports, reason = "not all is tried")]
#[path = "../../../rust/page/mod.rs"]
mod page;
#[allow(dead_code, unused_imports, reason = "not all is tried")]
#[path = "../../../rust/stats/mod.rs"]
mod stats;

mod case;
mod context;
mod control;
mod guard;
mod probe;
mod rcu;
mod secret;
mod share;
mod timer;
mod view;
mod zero;

use case::Case;
use ffi::{
    callbacks::LastOut,
    debugfs::Root, //
};
use kernel::prelude::*;
use stats::{
    handover,
    Recording,
    Stats, //
};

/// All cases, by subject.
const SUBJECTS: [&[&[Case]]; 7] = [
    share::CASES,
    secret::CASES,
    view::CASES,
    zero::CASES,
    guard::CASES,
    rcu::CASES,
    timer::CASES,
];

module! {
    type: Handovers,
    name: "labyrinth_handover",
    authors: ["The labyrinth developers"],
    description: "Tries hand-overs of pages, for labyrinth's tests",
    license: "GPL",
}

/// The loaded module. The files go first, and nobody calls into it when it is gone.
struct Handovers {
    _files: Root<Stats>,
    _recorded: handover::Recorded,
    _last_out: LastOut,
}

impl kernel::Module for Handovers {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let last_out = LastOut::new();
        let stats = Stats::new(Recording::Full)?;
        Ok(Self {
            _recorded: handover::record_in(stats.clone())?,
            _files: control::create(stats)?,
            _last_out: last_out,
        })
    }
}
