// SPDX-License-Identifier: GPL-2.0

//! Starts a source of failures.

use super::{
    probe::{Probe, Source},
    problem,
    watch::Watch,
    Choice, Problem,
};
use crate::progress::Progress;
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use std::{collections::BTreeSet, path::Path};

/// Allows as many open files as possible. Each CPU needs one or two.
pub fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);

    // If this fails, the old limit may be sufficient.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
}

/// Starts the chosen source, and shows the progress.
pub fn start(
    choice: Choice,
    root: &Path,
    online: &BTreeSet<u32>,
    progress: fn() -> Progress,
) -> anyhow::Result<(Source, Watch)> {
    let one = |source| -> Result<(Source, Watch), Problem> {
        if let Some(problem) = problem::expected(source, root) {
            return Err(problem);
        }
        Probe::of(source, root)
            .and_then(|probe| Watch::start(probe, root, online, progress()))
            .map(|watch| (source, watch))
            .map_err(|error| problem::explain(source, &error))
    };

    Ok(match choice {
        Choice::Kprobe => one(Source::Kprobe)?,
        Choice::Tracepoint => one(Source::Tracepoint)?,
        Choice::Auto => match one(Source::Kprobe) {
            Ok(started) => started,
            Err(kprobe) => one(Source::Tracepoint).map_err(|tracepoint| {
                if kprobe.what() == tracepoint.what() {
                    return tracepoint;
                }
                Problem::cannot_run(
                    format!("{}, and {}", kprobe.what(), tracepoint.what()),
                    format!("{}, or {}", kprobe.fix(), tracepoint.fix()),
                )
            })?,
        },
    })
}
