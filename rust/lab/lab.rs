// SPDX-License-Identifier: GPL-2.0

//! `labyrinth_lab.ko`: measurements of labyrinth from outside, as a driver sees it.
//!
//! - `bench`: the benchmark behind `make bench`.
//! - `wall`: the experiment behind `make wall`.
//!
//! Both use the library's public interface, across the border between two modules. Their files are
//! in `/sys/kernel/debug/labyrinth_lab/`.

#![deny(unsafe_code)]

mod bench;
#[allow(unsafe_code)]
mod ffi;
mod wall;

use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::debugfs::Root;
use wall::Experiment;

labyrinth::import!();

module! {
    type: Lab,
    name: "labyrinth_lab",
    authors: ["The labyrinth developers"],
    description: "Benchmark of labyrinth, and its experiment with full memory",
    license: "GPL",
}

/// The loaded module. Dropping it removes the files, and frees the memory of the experiment.
struct Lab {
    _files: Root<Experiment>,
}

impl kernel::Module for Lab {
    /// Fails if the files cannot be made, as there is no other way to start anything here.
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let experiment = Arc::pin_init(Experiment::new(), GFP_KERNEL)?;
        let files = Root::new(c"labyrinth_lab", experiment)?;
        let top = files.top();

        bench::create(&top);
        wall::create(&top);
        Ok(Self { _files: files })
    }
}
