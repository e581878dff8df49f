// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/debug/labyrinth_handover/`, for `tests/handover.py`:
//!
//! ```text
//! cases        their names
//! run          write a name: runs that case; the write fails if the case does. With a number after
//!              the name it runs so often, or until it fails
//! handovers    by kind: successes, failures, latencies, their sum in ns
//! recording    write 0, 1 or 2: as in labyrinth's own folder
//! reset        write anything: counts from zero again
//! ```

#![forbid(unsafe_code)]

use crate::{
    case::Case,
    ffi::{
        context::{
            with_task,
            Task, //
        },
        debugfs::{
            Root,
            Show,
            Store, //
        },
        number::parse_u64, //
    },
    stats::{
        Recording,
        Stats, //
    },
    SUBJECTS, //
};
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::Arc, //
};

/// Makes the files. Task context only, may sleep.
pub(crate) fn create(stats: Arc<Stats>) -> Result<Root<Stats>> {
    let root = Root::new(c"labyrinth_handover", stats)?;
    let top = root.top();

    top.read_only::<Cases>(c"cases");
    top.write_only::<Run>(c"run");
    top.read_only::<Counts>(c"handovers");
    top.write_only::<Record>(c"recording");
    top.write_only::<Reset>(c"reset");
    Ok(root)
}

fn cases() -> impl Iterator<Item = &'static Case> {
    SUBJECTS.into_iter().flatten().copied().flatten()
}

/// The file `cases`.
struct Cases;

impl Show<Stats> for Cases {
    fn show(_stats: &Stats, out: &SeqFile) -> Result {
        for case in cases() {
            seq_print!(out, "{}\n", case.name);
        }
        Ok(())
    }
}

/// The file `run`.
struct Run;

impl Store<Stats> for Run {
    fn store(_cx: &Task, _stats: &Stats, text: &CStr) -> Result {
        let (wanted, times) = match text.to_bytes().iter().position(|&byte| byte == b' ') {
            Some(blank) => (&text.to_bytes()[..blank], parse_u64(&text[blank + 1..])?),
            None => (text.to_bytes().trim_ascii(), 1),
        };
        let case = cases().find(|case| case.name.as_bytes() == wanted);
        let run = case.ok_or(ENOENT)?.run;
        for _ in 0..times {
            with_task(run)??;
        }
        Ok(())
    }
}

/// The file `handovers`.
struct Counts;

impl Show<Stats> for Counts {
    fn show(stats: &Stats, out: &SeqFile) -> Result {
        for handovers in stats.view()?.handovers() {
            seq_print!(
                out,
                "{} {} {} {} {}\n",
                handovers.kind().name(),
                handovers.successes(),
                handovers.failures(),
                handovers.samples(),
                handovers.latency_sum()
            );
        }
        Ok(())
    }
}

/// The file `recording`.
struct Record;

impl Store<Stats> for Record {
    fn store(_cx: &Task, stats: &Stats, text: &CStr) -> Result {
        stats.set_recording(Recording::from_number(parse_u64(text)?)?);
        Ok(())
    }
}

/// The file `reset`.
struct Reset;

impl Store<Stats> for Reset {
    fn store(_cx: &Task, stats: &Stats, _text: &CStr) -> Result {
        stats.reset()
    }
}
