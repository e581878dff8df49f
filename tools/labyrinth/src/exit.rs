// SPDX-License-Identifier: GPL-2.0

//! Exit statuses, and errors that say how to fix them.
//!
//! | status | meaning |
//! |---|---|
//! | 0 | fine |
//! | 1 | a threshold was crossed |
//! | 2 | wrong usage |
//! | 3 | the command cannot run here |

use crate::{message::say, stdout::has_kind};
use std::{
    fmt,
    io::{self, ErrorKind},
    process::ExitCode,
};

/// The verdict of a command that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that was to be reported.
    Fine,
    /// A threshold that the caller had set was crossed.
    Crossed,
}

/// An error that the user can mend: it names the thing and the fix.
#[derive(Debug)]
pub struct Problem {
    status: u8,
    what: String,
    fix: String,
}

impl Problem {
    /// The command line makes no sense, which clap could not know.
    pub fn usage(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: 2,
            what: what.into(),
            fix: fix.into(),
        }
    }

    /// This machine, kernel or user cannot run the command.
    pub fn cannot_run(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            status: 3,
            what: what.into(),
            fix: fix.into(),
        }
    }

    /// Returns what is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Returns what would help.
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Problem {}

/// Prints an error of clap, or the help that was asked for, and returns the exit status.
pub fn of_usage(error: &clap::Error) -> ExitCode {
    match error.print() {
        // Nothing can be done if standard error is gone.
        _ if error.use_stderr() => ExitCode::from(2),
        Err(failed) => of(Err(failed.into())),
        Ok(()) => ExitCode::SUCCESS,
    }
}

/// Prints the error of a command, if it failed, and returns the exit status.
pub fn of(result: anyhow::Result<Verdict>) -> ExitCode {
    let error = match result {
        Ok(Verdict::Fine) => return ExitCode::SUCCESS,
        Ok(Verdict::Crossed) => return ExitCode::from(1),
        Err(error) => error,
    };
    if has_kind(&error, ErrorKind::BrokenPipe) {
        // The reader, such as `head`, has what it wanted.
        return ExitCode::SUCCESS;
    }
    let full = has_kind(&error, ErrorKind::StorageFull);
    // Errors of other files have a context, which names the file.
    if error.chain().len() == 1 && (full || error.is::<io::Error>()) {
        say!("error: cannot write the output: {error}");
    } else {
        say!("error: {error:#}");
    }
    let Some(problem) = error.chain().find_map(|e| e.downcast_ref::<Problem>()) else {
        if full {
            say!("fix: make room where the output goes, or send it elsewhere");
        }
        return ExitCode::from(3);
    };
    say!("fix: {}", problem.fix);
    ExitCode::from(problem.status)
}
