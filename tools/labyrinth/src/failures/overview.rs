// SPDX-License-Identifier: GPL-2.0

//! Counts failures since the start, for a command that shows the counts periodically.

use super::{
    cpus::{self, Hotplug},
    injected,
    probe::{Cause, Source},
    resolver::Resolver,
    start::{raise_limit, start},
    tally::{By, Row, Tally},
    watch::Watch,
    Choice,
};
use crate::progress::Progress;
use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// The most rows to keep.
const ROWS: usize = 20;

/// Counts failures. Nothing stays in the kernel after the process, even if SIGKILL ends it. For
/// this reason, injected failures are not counted: they need an event in tracefs.
pub struct Overview {
    root: PathBuf,
    source: Source,
    watch: Watch,
    hotplug: Option<Hotplug>,
    /// The names, which are read when the first failure needs them.
    resolver: Option<Resolver>,
    tally: Tally,
    other: u64,
    rows: Vec<Row>,
    blind: bool,
}

impl Overview {
    /// Starts to count, and prints nothing.
    pub fn start(root: &Path) -> anyhow::Result<Self> {
        // Do this first, so that no CPU is missed.
        let hotplug = Hotplug::listen().ok();
        raise_limit();
        let online = cpus::online(root).context("cannot tell which CPUs are online")?;
        let (source, watch) = start(Choice::Auto, root, &online, Progress::silent)?;

        Ok(Self {
            root: root.to_owned(),
            source,
            watch,
            hotplug,
            resolver: None,
            tally: Tally::new(&[By::Caller, By::Context, By::Order, By::Flags], false),
            other: 0,
            rows: Vec::new(),
            blind: injected::possible(root),
        })
    }

    /// Returns the source of the failures.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Returns whether the kernel can inject failures, which would not be counted.
    pub fn is_blind(&self) -> bool {
        self.blind
    }

    /// Collects the failures since the last call, and returns how many there were in all.
    pub fn collect(&mut self) -> u64 {
        let Self {
            root,
            watch,
            resolver,
            tally,
            other,
            ..
        } = self;
        let before = watch.seen();

        if let Some(resolver) = resolver {
            resolver.begin();
        }
        watch.drain(|probe, raw| {
            let resolver = resolver.get_or_insert_with(|| Resolver::new(root));
            let failure = resolver.resolve(probe, raw);
            if failure.cause == Cause::Other {
                *other += 1;
            } else {
                tally.add(&failure);
            }
        });
        if self.watch.seen() != before {
            self.rows = self.tally.rows();
            self.rows.truncate(ROWS);
        }
        self.follow();
        self.watch.total().saturating_sub(self.other)
    }

    /// Returns the failures by caller, context, order and flags, the most frequent first.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Follows CPUs that went online or offline.
    fn follow(&mut self) {
        let Ok(Some((online, switched))) = cpus::changed(&self.root, self.hotplug.as_ref()) else {
            return;
        };

        self.watch.follow(&online, &switched);
        if let Some(resolver) = &mut self.resolver {
            resolver.nodes = cpus::nodes(&self.root);
        }
    }
}
