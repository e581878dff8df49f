// SPDX-License-Identifier: GPL-2.0

//! Manual pages and completions, made from the declaration of the command line.

use crate::{cli::Cli, exit::Verdict};
use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use std::{fs, path::PathBuf};

/// The options of `labyrinth manual`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder, which is made if it does not exist
    folder: PathBuf,
}

/// Writes `man1/*.1` and `completions/*` into the folder.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let man = args.folder.join("man1");
    let completions = args.folder.join("completions");

    for folder in [&man, &completions] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    clap_mangen::generate_to(Cli::command(), &man)
        .with_context(|| format!("cannot write manual pages into {}", man.display()))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut Cli::command(), "labyrinth", &completions)
            .with_context(|| format!("cannot write into {}", completions.display()))?;
    }
    Ok(Verdict::Fine)
}
