// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/debug/labyrinth_transfers/`, for `tests/selftests/transfers.py`:
//!
//! ```text
//! cases        their names
//! run          write a name: runs that case; the write fails if the case does. With a number after
//!              the name it runs so often, or until it fails
//! hold         see `charge.rs`
//! size_0       text that is longer than the size that the file was made with
//! size_max     the same text
//! ```
//!
//! labyrinth counts the transfers of a case, and shows them in its own files.

#![forbid(unsafe_code)]

use crate::{
    case::Case,
    charge::{
        Held,
        Hold, //
    },
    SUBJECTS, //
};
use kernel::{
    new_mutex,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::{
        Arc,
        Mutex, //
    }, //
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

/// The data of the files.
#[pin_data]
pub(crate) struct Files {
    #[pin]
    pub(crate) held: Mutex<Held>,
}

/// Makes the files. Task context only, may sleep.
pub(crate) fn create() -> Result<Root<Files>> {
    let files = pin_init!(Files {
        held <- new_mutex!(Held::Nothing),
    });
    let root = Root::new(c"labyrinth_transfers", Arc::pin_init(files, GFP_KERNEL)?)?;
    let top = root.top();

    top.read_only::<Cases>(c"cases");
    top.write_only::<Run>(c"run");
    top.write_only::<Hold>(c"hold");
    top.read_only::<Text<0>>(c"size_0");
    top.read_only::<Text<{ usize::MAX }>>(c"size_max");
    Ok(root)
}

fn cases() -> impl Iterator<Item = &'static Case> {
    SUBJECTS.into_iter().flatten().copied().flatten()
}

/// The file `cases`.
struct Cases;

impl Show<Files> for Cases {
    fn show(_files: &Files, out: &SeqFile) -> Result {
        for case in cases() {
            seq_print!(out, "{}\n", case.name);
        }
        Ok(())
    }
}

/// The file `run`.
struct Run;

impl Store<Files> for Run {
    fn store(_cx: &Task, _files: &Files, text: &CStr) -> Result {
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

/// A file with 3000 lines, which says that it has another size.
struct Text<const SIZE: usize>;

impl<const SIZE: usize> Show<Files> for Text<SIZE> {
    const SIZE: usize = SIZE;

    fn show(_files: &Files, out: &SeqFile) -> Result {
        for line in 0..3000 {
            seq_print!(out, "{line}\n");
        }
        Ok(())
    }
}
