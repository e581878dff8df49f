// SPDX-License-Identifier: GPL-2.0

//! Manual pages and completions, made from the declaration of the command line.

use crate::{cli, exit::Verdict};
use anyhow::Context;
use clap::Command;
use clap_complete::Shell;
use clap_mangen::{
    roff::{roman, Roff},
    Man,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

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
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    pages(&command, &man)
        .with_context(|| format!("cannot write manual pages into {}", man.display()))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut cli::command(), "labyrinth", &completions)
            .with_context(|| format!("cannot write into {}", completions.display()))?;
    }
    Ok(Verdict::Fine)
}

/// Writes the pages of a command and of its subcommands.
fn pages(command: &Command, folder: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        pages(subcommand, folder)?;
    }
    let man = Man::new(command.clone());
    fs::write(folder.join(man.get_filename()), page(command, &man)?)
}

/// Returns the page of a command.
fn page(command: &Command, man: &Man) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();

    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    if command.get_arguments().any(|one| !one.is_hide_set()) {
        man.render_options_section(&mut out)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    if let Some(help) = command.get_after_long_help() {
        sections(&help.to_string()).to_writer(&mut out)?;
    }
    Ok(out)
}

/// Makes sections of the text after the options: one of the exit statuses, one of the examples, and
/// one of the rest. Indented lines stay as they are.
fn sections(help: &str) -> Roff {
    let mut sections = [
        ("NOTES", ""),
        ("EXIT STATUS", "Exit status:"),
        ("EXAMPLES", "Example"),
    ]
    .map(|(title, start)| (title, start, Vec::new()));
    let mut current = 0;

    for block in help.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let starts = |(_, start, _): &(_, &str, _)| !start.is_empty() && block.starts_with(start);
        // The text goes on after the statuses, but not after the examples.
        current = match sections.iter().position(starts) {
            Some(found) => found,
            None if current == 1 => 0,
            None => current,
        };
        sections[current].2.push(block);
    }
    let mut roff = Roff::new();
    for (title, _, blocks) in sections.iter().filter(|(_, _, blocks)| !blocks.is_empty()) {
        roff.control("SH", [*title]);
        for (index, block) in blocks.iter().enumerate() {
            let lines = block.lines().filter(|line| !is_title(line));
            if index > 0 {
                roff.control("PP", []);
            }
            paragraph(&mut roff, lines);
        }
    }
    roff
}

/// Returns whether the line only repeats the title of its section.
fn is_title(line: &str) -> bool {
    matches!(line, "Exit status:" | "Examples:")
}

fn paragraph<'a>(roff: &mut Roff, lines: impl Iterator<Item = &'a str>) {
    let mut as_is = false;

    for line in lines {
        let indented = line.starts_with("  ");
        if indented != as_is {
            roff.control(if indented { "nf" } else { "fi" }, []);
            as_is = indented;
        }
        roff.text([roman(line)]);
    }
    if as_is {
        roff.control("fi", []);
    }
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::cli;
    use clap_mangen::Man;

    #[test]
    fn each_page_has_its_sections() {
        let mut command = cli::command();
        command.build();
        for command in command.get_subcommands().filter(|one| {
            let name = one.get_name();
            name != "help" && !one.is_hide_set()
        }) {
            let page = page(command, &Man::new(command.clone())).unwrap();
            let page = String::from_utf8(page).unwrap();
            for title in ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "EXAMPLES"] {
                let title = format!("\n.SH \"{title}\"\n");
                let plain = title.replace('"', "");
                assert!(
                    page.contains(&title) || page.contains(&plain),
                    "{title} of {}: {page}",
                    command.get_name()
                );
            }
        }
    }
}
