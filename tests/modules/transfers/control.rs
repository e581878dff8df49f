// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/debug/labyrinth_transfers/`, for `tests/selftests/transfers.py`:
//!
//! ```text
//! cases        their names
//! run          write a name: runs that case; the write fails if the case does. With a number after
//!              the name it runs so often, or until it fails
//! ```
//!
//! The transfers that a case does are counted by labyrinth, in its own files.

#![forbid(unsafe_code)]

use crate::{
    case::Case,
    SUBJECTS, //
};
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::Arc, //
};
use labyrinth::{
    context::{
        with_task,
        Task, //
    },
    debugfs::{
        parse_u64,
        Root,
        Show,
        Store, //
    }, //
};

/// Makes the files. Task context only, may sleep.
pub(crate) fn create() -> Result<Root<()>> {
    let root = Root::new(c"labyrinth_transfers", Arc::new((), GFP_KERNEL)?)?;
    let top = root.top();

    top.read_only::<Cases>(c"cases");
    top.write_only::<Run>(c"run");
    Ok(root)
}

fn cases() -> impl Iterator<Item = &'static Case> {
    SUBJECTS.into_iter().flatten().copied().flatten()
}

/// The file `cases`.
struct Cases;

impl Show<()> for Cases {
    fn show(_data: &(), out: &SeqFile) -> Result {
        for case in cases() {
            seq_print!(out, "{}\n", case.name);
        }
        Ok(())
    }
}

/// The file `run`.
struct Run;

impl Store<()> for Run {
    fn store(_cx: &Task, _data: &(), text: &CStr) -> Result {
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
