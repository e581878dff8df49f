// SPDX-License-Identifier: GPL-2.0

//! `corruption`: how many guards were found damaged since the module was loaded, and the last of
//! them, a line each, the oldest first. A reset changes neither: the lines are numbered.

use crate::exercise::Exercises;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};
use labyrinth::{
    debugfs::Show,
    sentinel, //
};

/// The file `corruption`.
pub(super) struct Last;

impl Show<Exercises> for Last {
    const SIZE: usize = 4 * kernel::page::PAGE_SIZE;

    fn show(_exercises: &Exercises, out: &SeqFile) -> Result {
        seq_print!(
            out,
            "damaged guards since the module was loaded: {}\n",
            sentinel::total()
        );
        for corruption in sentinel::recent()? {
            seq_print!(out, "{corruption}\n");
        }
        Ok(())
    }
}
