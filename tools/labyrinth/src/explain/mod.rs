// SPDX-License-Identifier: GPL-2.0

//! `labyrinth explain`: says why the requests failed that a kernel log reports.
//!
//! [`scan`] finds the lines, [`prefix`] removes what other programs put before them, [`collect`]
//! puts them together to a [`report`], [`judge`] compares the request with the zones as the kernel
//! did, and [`why`] and [`advice`] put the result into words.

mod advice;
mod binary;
mod collect;
mod document;
mod gfp;
mod group;
mod header;
mod judge;
mod kernel;
mod mail;
mod meminfo;
mod oom;
mod prefix;
mod report;
mod scan;
mod show;
mod source;
#[cfg(test)]
mod tests;
mod trace;
mod unwrap;
mod why;
mod why_oom;
mod words;

pub use document::Document;

use crate::{exit::Verdict, json, progress::Progress, stdout, terminal, units};
use anyhow::Context;
use binary::Binary;
use collect::Collector;
use group::Groups;
use scan::Scanner;
use source::Source;
use std::{collections::BTreeMap, io::Read, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  labyrinth explain                          the log of the running kernel
  journalctl -k -b -1 | labyrinth explain    the log of the boot before
  labyrinth explain /var/log/kern.log        a file
  zcat kern.log.2.gz | labyrinth explain     a compressed file";

const LONG_HELP: &str = "\
It finds reports of the page allocator (\"page allocation failure\"), of vmalloc, of slab caches \
(\"Unable to allocate memory on node\"), of CMA areas and of the OOM killer, of kernels from 4.14 on, \
and compares the request with each zone as that kernel did.

The first sentence is the reason. In the table, \"usable\" is the free memory that the request may \
use: not that in CMA areas, unless it is movable, and not that reserved for urgent requests. \
\"watermark\" is what such a request must leave of the watermark min: all of it, or 3/8 for \
GFP_ATOMIC. \"reserve\" is lowmem_reserve[] of the highest zone that the request may use.

What the answer cannot know: The kernel prints the figures after the failure, so memory can have come \
back. It prints at most one failure of the page allocator in ten seconds, and none with __GFP_NOWARN. \
It does not print which task flags allowed more (PF_MEMALLOC, real-time priority). Numbers that are \
proposed for settings come from a single burst; labyrinth headroom measures more of them.

Logs may be damaged, cut off and mixed. What could not be read is named with its line. Of a line \
longer than 64 KiB, only a part is read.

Examples:
  labyrinth explain                          the log of the running kernel
  journalctl -k -b -1 | labyrinth explain    the log of the boot before
  labyrinth explain /var/log/kern.log        a file
  zcat kern.log.2.gz | labyrinth explain     a compressed file";

/// The options of `labyrinth explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = LONG_HELP)]
pub struct Args {
    /// Logs to read, `-` for standard input
    ///
    /// Without any: standard input, or /dev/kmsg if that is a terminal. A log may have the prefixes
    /// of dmesg, journalctl, syslog, Android or a serial console, and colours. It may be damaged.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Describe each report, even if others are like it
    ///
    /// Otherwise, reports with the same process, order, flags and caller are described once and
    /// counted.
    #[arg(long)]
    all: bool,

    /// Print a document of the schema labyrinth/explain/1
    #[arg(long)]
    json: bool,

    /// Exit with status 1 if there is a report
    #[arg(long)]
    fail_if_found: bool,
}

/// What the logs have.
pub struct Found {
    files: Vec<String>,
    groups: Groups,
    suppressed: BTreeMap<&'static str, u64>,
    lost: BTreeMap<&'static str, u64>,
    bytes: u64,
    lines: u64,
    /// The bytes that are not text.
    binary: Binary,
    /// How many lines are too long.
    long_lines: u64,
}

impl Found {
    /// Returns the answer as a document.
    pub fn document(&self) -> Document {
        document::document(self)
    }

    /// Returns the answer as text.
    pub fn text(&self, coloured: bool) -> String {
        show::text(self, coloured)
    }
}

/// Explains the reports of the logs.
pub fn run(args: &Args) -> anyhow::Result<Verdict> {
    let found = read(source::open(&args.files)?, args.all)?;

    if args.json {
        stdout::reached(json::print(&found.document(), false))?;
    } else {
        stdout::print(&found.text(terminal::colours()))?;
    }
    Ok(if args.fail_if_found && found.groups.reports() > 0 {
        Verdict::Crossed
    } else {
        Verdict::Fine
    })
}

/// Explains one log; for tests and benchmarks.
pub fn explain(name: &str, log: impl Read + 'static, each: bool) -> anyhow::Result<Found> {
    let source = Source {
        name: name.to_owned(),
        size: None,
        reader: Box::new(log),
    };
    read(vec![source], each)
}

fn read(sources: Vec<Source>, each: bool) -> anyhow::Result<Found> {
    let mut collector = Collector::default();
    let mut found = Found {
        files: Vec::new(),
        groups: Groups::new(each),
        suppressed: BTreeMap::new(),
        lost: BTreeMap::new(),
        bytes: 0,
        lines: 0,
        binary: Binary::default(),
        long_lines: 0,
    };
    for source in sources {
        let name = source.name;
        let size = source.size;
        let mut progress = Progress::new(format!("reading {name}"));
        let mut scanner = Scanner::new(source.reader);
        collector.file(&name);
        loop {
            let line = if collector.wants_all() {
                scanner.line()
            } else {
                scanner.anchor(|bytes| progress.at(|| how_far(bytes, size)))
            };
            let Some(line) = line.with_context(|| format!("cannot read {name}"))? else {
                break;
            };
            for report in collector.line(line) {
                found.groups.add(report);
            }
        }
        for report in collector.end() {
            found.groups.add(report);
        }
        found.bytes += scanner.bytes();
        found.lines += scanner.lines();
        found.binary.add(scanner.binary());
        found.long_lines += scanner.long_lines();
        found.files.push(name);
    }
    found.suppressed = collector.suppressed;
    found.lost = collector.lost;
    Ok(found)
}

fn how_far(bytes: u64, size: Option<u64>) -> String {
    match size {
        Some(size) => format!("{} of {}", units::bytes(bytes), units::bytes(size)),
        None => units::bytes(bytes),
    }
}
