// SPDX-License-Identifier: GPL-2.0

//! The tool `labyrinth` tells why atomic page allocations fail on a machine, and how far the
//! machine is from such failures.
//!
//! Each subcommand has a folder. [`cli`] declares the command line, from which the help, the manual
//! pages and the completions are made. [`exit`] has the exit statuses.

pub mod cli;
pub mod compare;
pub mod doctor;
pub mod exit;
pub mod explain;
pub mod failures;
pub mod file;
pub mod headroom;
pub mod json;
pub mod manual;
pub mod memory;
pub mod message;
pub mod module;
pub mod plot;
pub mod progress;
pub mod report;
pub mod run;
pub mod runs;
pub mod signals;
pub mod squeeze;
pub mod stdout;
pub mod terminal;
pub mod top;
pub mod tracing;
pub mod units;

use std::{ffi::OsString, process::ExitCode};

/// Runs the tool with these arguments, the first of which is its name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = match cli::parse(args) {
        Ok(cli) => cli,
        Err(error) => return exit::of_usage(&error),
    };
    exit::of(parsed.command.run())
}
