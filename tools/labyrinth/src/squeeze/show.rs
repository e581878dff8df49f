// SPDX-License-Identifier: GPL-2.0

//! A squeeze as text.

use super::document::{End, Squeezed};
use crate::units;
use std::io::{self, Write};

/// Prints the result of a squeeze.
pub fn text(out: &mut impl Write, squeezed: &Squeezed) -> io::Result<()> {
    let pages = |count| units::counted(count, "page");

    writeln!(
        out,
        "The headroom was held at {} for {:.1} s, until {}.",
        pages(squeezed.headroom),
        squeezed.seconds,
        match squeezed.end {
            End::Command => "the command ended",
            End::Signal => "the tool received a signal",
            End::Time => "the time was over",
            End::Memory => "reclaimable memory was running out",
            End::OomKill => "the OOM killer killed a process",
        }
    )?;
    writeln!(
        out,
        "The module took {} pages at first (predicted: {}), and later {} that others had freed.",
        squeezed.taken_pages, squeezed.before_pages, squeezed.taken_later_pages
    )?;
    writeln!(
        out,
        "Meanwhile, a burst would have got {} to {} pages. Now it would get {}.",
        squeezed.least_pages, squeezed.most_pages, squeezed.after_pages
    )?;
    if squeezed.checks_at_limit > 0 {
        writeln!(
            out,
            "{} checks found more headroom, but the module held all that the machine can spare.",
            squeezed.checks_at_limit
        )?;
    }
    if let Some(failures) = squeezed.failures {
        writeln!(out, "Failed requests of others meanwhile: {failures}.")?;
    }
    if let Some(status) = squeezed.command_status {
        writeln!(out, "The command ended with status {status}.")?;
    }
    Ok(())
}
