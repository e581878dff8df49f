// SPDX-License-Identifier: GPL-2.0

//! A driver that tries transfers of pages in every context in which they are allowed.
//!
//! Each subject is a file with its cases. [`control`] runs them for `tests/selftests/transfers.py`.
//! A new subject is a line in [`SUBJECTS`].

#![deny(unsafe_code)]

mod attribute;
mod attribute_pool;
mod bridge;
mod case;
mod charge;
mod context;
mod contiguous;
mod control;
mod flush;
mod guard;
mod host;
mod pages;
mod pool;
#[allow(unsafe_code, reason = "it calls C functions of its own")]
mod probe;
mod rcu;
#[allow(unsafe_code, reason = "it calls C functions of its own")]
mod refusal;
mod secret;
mod share;
mod timer;
mod vmap;
mod zero;

use case::Case;
use kernel::prelude::*;
use labyrinth::debugfs::Root;

/// All cases, by subject.
const SUBJECTS: [&[&[Case]]; 14] = [
    bridge::CASES,
    share::CASES,
    secret::CASES,
    vmap::CASES,
    attribute::CASES,
    attribute_pool::CASES,
    contiguous::CASES,
    flush::CASES,
    host::CASES,
    zero::CASES,
    guard::CASES,
    rcu::CASES,
    timer::CASES,
    pool::CASES,
];

module! {
    type: Transfers,
    name: "labyrinth_transfers",
    authors: ["The labyrinth developers"],
    description: "Tries transfers of pages, for labyrinth's tests",
    license: "GPL",
}

labyrinth::import!();

/// The loaded module.
struct Transfers {
    _files: Root<control::Files>,
}

impl kernel::Module for Transfers {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _files: control::create()?,
        })
    }
}
