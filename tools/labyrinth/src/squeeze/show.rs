// SPDX-License-Identifier: GPL-2.0

//! A squeeze as text.

use super::document::{End, Squeezed};
use crate::units;
use std::io::{self, Write};

/// Prints what a squeeze has done.
pub fn text(out: &mut impl Write, squeezed: &Squeezed) -> io::Result<()> {
    let pages = |count| units::counted(count, "page");

    writeln!(
        out,
        "The machine was held at {} of headroom for {:.1} s, until {}.",
        pages(squeezed.headroom),
        squeezed.seconds,
        match squeezed.end {
            End::Command => "the command ended",
            End::Signal => "a signal came",
            End::Time => "the time was over",
            End::Memory => "reclaimable memory was running out",
            End::OomKill => "the OOM killer had killed a process",
        }
    )?;
    writeln!(
        out,
        "Before, {} could be taken (predicted: {}). Others freed {} more meanwhile.",
        squeezed.taken_pages, squeezed.before_pages, squeezed.taken_later_pages
    )?;
    writeln!(
        out,
        "A burst would have got {} at least and {} at most. Afterwards it gets {}.",
        squeezed.least_pages, squeezed.most_pages, squeezed.after_pages
    )?;
    if squeezed.looks_without_more > 0 {
        writeln!(
            out,
            "{} looks found more headroom, but as much was held as the machine can spare.",
            squeezed.looks_without_more
        )?;
    }
    if let Some(failures) = squeezed.failures {
        writeln!(out, "Requests of others that failed meanwhile: {failures}.")?;
    }
    if let Some(status) = squeezed.command_status {
        writeln!(out, "The command ended with status {status}.")?;
    }
    Ok(())
}
