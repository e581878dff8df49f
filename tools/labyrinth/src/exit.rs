// SPDX-License-Identifier: GPL-2.0

//! Exit statuses, and errors that say how to fix them.
//!
//! | status | meaning |
//! |---|---|
//! | 0 | fine |
//! | 1 | a threshold was crossed |
//! | 2 | wrong usage |
//! | 3 | the command cannot run here |

use crate::message::say;
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
    // Nothing can be done if the terminal is gone.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
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
    if full && error.chain().len() == 1 {
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

/// Returns whether the cause of the error is an error of this kind from a file.
fn has_kind(error: &anyhow::Error, wanted: ErrorKind) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        let json = cause.downcast_ref::<serde_json::Error>();
        let io = cause.downcast_ref::<io::Error>();
        json.and_then(serde_json::Error::io_error_kind)
            .or(io.map(io::Error::kind))
    };
    error.chain().filter_map(kind).any(|kind| kind == wanted)
}
