// SPDX-License-Identifier: GPL-2.0

//! The command line tool `labyrinth`.

use std::process::ExitCode;

fn main() -> ExitCode {
    labyrinth::run(std::env::args_os())
}
