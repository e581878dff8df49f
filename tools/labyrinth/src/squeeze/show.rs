// SPDX-License-Identifier: GPL-2.0

//! A squeeze as text.

use super::document::{End, Squeezed};
use crate::units;
use std::io::{self, Write};

/// Prints the result of a squeeze.
pub fn text(out: &mut impl Write, squeezed: &Squeezed) -> io::Result<()> {
    writeln!(
        out,
        "The machine was squeezed for {:.1} s, until {}.",
        squeezed.seconds,
        reason(squeezed.end)
    )?;
    writeln!(
        out,
        "The module took {} pages at first (predicted: {}), and later {} that others had freed.",
        squeezed.taken_pages, squeezed.before_pages, squeezed.taken_later_pages
    )?;
    headroom(out, squeezed)?;
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
    writeln!(
        out,
        "Now a burst would get {}.",
        units::counted(squeezed.after_pages, "page")
    )
}

/// Returns why a squeeze ended.
pub fn reason(end: End) -> &'static str {
    match end {
        End::Command => "the command ended",
        End::Signal => "the tool received a signal",
        End::Time => "the time was over",
        End::Memory => "reclaimable memory was running out",
        End::OutOfMemory => "the kernel had run out of memory",
        End::OomKill => "the OOM killer killed a process",
    }
}

/// Prints which headroom the checks of the module found.
fn headroom(out: &mut impl Write, squeezed: &Squeezed) -> io::Result<()> {
    let wanted = units::counted(squeezed.headroom, "page");

    if squeezed.checks == 0 {
        writeln!(out, "No CPU reached a headroom of {wanted}.")
    } else if squeezed.exact_checks == squeezed.checks {
        writeln!(
            out,
            "All {} checks found a headroom of {wanted}.",
            squeezed.checks
        )
    } else {
        writeln!(
            out,
            "{} of {} checks found a headroom of {wanted}. The others found {} to {}.",
            squeezed.exact_checks,
            squeezed.checks,
            squeezed.least_pages,
            units::counted(squeezed.most_pages, "page")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{text, End, Squeezed};

    fn summary(checks: u64, exact_checks: u64, end: End) -> String {
        let squeezed = Squeezed {
            schema: "labyrinth/squeeze/1",
            headroom: 100,
            before_pages: 5000,
            taken_pages: 4900,
            held_pages: 4800,
            taken_later_pages: 10,
            checks,
            exact_checks,
            least_pages: 63,
            most_pages: 163,
            checks_at_limit: 0,
            after_pages: 5000,
            seconds: 2.0,
            end,
            failures: None,
            command_status: None,
        };
        let mut out = Vec::new();
        text(&mut out, &squeezed).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_headroom_that_was_missed_is_not_called_held() {
        let all = summary(50, 50, End::Time);
        assert!(
            all.contains("All 50 checks found a headroom of 100 pages."),
            "{all}"
        );
        let some = summary(50, 48, End::Time);
        assert!(some.contains("48 of 50 checks found"), "{some}");
        assert!(some.contains("The others found 63 to 163 pages."), "{some}");
        let none = summary(0, 0, End::OutOfMemory);
        assert!(
            none.contains("until the kernel had run out of memory."),
            "{none}"
        );
        assert!(
            none.contains("No CPU reached a headroom of 100 pages."),
            "{none}"
        );
    }
}
