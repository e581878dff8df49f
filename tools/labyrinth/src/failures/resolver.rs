// SPDX-License-Identifier: GPL-2.0

//! Resolves addresses, flags and thread IDs of recorded failures into names.

use super::{
    cpus,
    flags::Names,
    probe::{self, Cause, Probe, Raw},
    symbols::{self, Frame, Symbols},
    tally::Failure,
};
use crate::message::say;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

/// Resolves the numbers of recorded failures into names.
pub struct Resolver {
    root: PathBuf,
    symbols: Option<Symbols>,
    flags: Names,
    /// The node of each CPU.
    pub nodes: HashMap<u32, u32>,
    stacks: HashMap<Vec<u64>, Rc<[Frame]>>,
    processes: HashMap<u32, Rc<str>>,
    /// Whether the modules were checked since the last call of `begin`.
    checked: bool,
    gfp: HashMap<u64, Rc<str>>,
}

impl Resolver {
    /// Reads the names that the kernel has.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            symbols: probe::symbols(root),
            flags: probe::names(root),
            nodes: cpus::nodes(root),
            stacks: HashMap::new(),
            processes: HashMap::new(),
            checked: false,
            gfp: HashMap::new(),
        }
    }

    /// Prints which names are missing, with the fix.
    pub fn complain(&self) {
        if self.symbols.is_none() {
            say!(
                "the kernel hides its symbols, so callers are numbers; fix: run as \
                 root, with sysctl kernel.kptr_restrict=1 or less"
            );
        }
        if self.flags.is_empty() {
            say!(
                "tracefs is not mounted, so flags are numbers; fix: mount -t tracefs \
                 tracefs /sys/kernel/tracing"
            );
        }
    }

    /// Returns a failure with its names.
    pub fn resolve(&mut self, probe: &Probe, raw: Raw) -> Failure {
        let stack = self.frames(&raw.stack);
        let cause = probe.cause(&raw, &stack);
        let gfp = raw.gfp.map(|gfp| {
            let flags = &self.flags;
            self.gfp
                .entry(gfp)
                .or_insert_with(|| flags.decode(gfp).into())
                .clone()
        });

        Failure {
            time: raw.time,
            cause,
            caller: symbols::caller(&stack).cloned(),
            context: probe.context(&raw, &stack),
            irqs_off: probe.irqs_off(&raw),
            order: raw.order.filter(|_| cause != Cause::Other),
            flags: gfp,
            nowarn: raw.gfp.is_some_and(|gfp| self.flags.nowarn(gfp)),
            process: self.process(raw.thread),
            thread: raw.thread,
            cpu: raw.cpu,
            node: self.nodes.get(&raw.cpu).copied().unwrap_or(0),
            stack,
        }
    }

    /// Begins a batch. Modules and processes can have changed since the last one.
    pub fn begin(&mut self) {
        self.checked = false;
        self.processes.clear();
    }

    fn frames(&mut self, addresses: &[u64]) -> Rc<[Frame]> {
        if let (Some(symbols), false) = (&mut self.symbols, self.checked) {
            self.checked = true;
            if symbols.refresh() {
                self.stacks.clear();
            }
        }
        if let Some(frames) = self.stacks.get(addresses) {
            return frames.clone();
        }
        let frames: Rc<[Frame]> = match &self.symbols {
            Some(symbols) => symbols.frames(addresses).into(),
            None => addresses
                .iter()
                .map(|&address| Frame::unknown(address))
                .collect(),
        };

        self.stacks.insert(addresses.to_vec(), frames.clone());
        frames
    }

    /// Returns the name of a thread, which may have ended.
    fn process(&mut self, thread: Option<u32>) -> Rc<str> {
        const ENDED: &str = "(ended)";
        let root = &self.root;
        let name = |thread| match thread {
            0 => "swapper".into(),
            _ => fs::read(root.join(format!("proc/{thread}/comm")))
                .map_or(ENDED.into(), |name| readable(&name).into()),
        };

        thread.map_or(ENDED.into(), |thread| {
            self.processes
                .entry(thread)
                .or_insert_with(|| name(thread))
                .clone()
        })
    }
}

/// Returns the name of a thread as text. A process chooses its name: it can have bytes that are no
/// text, and characters that would change the terminal.
fn readable(name: &[u8]) -> String {
    String::from_utf8_lossy(name)
        .trim_end()
        .replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::Resolver;
    use std::fs;

    #[test]
    fn names_cannot_change_the_terminal() {
        let root = tempfile::tempdir().unwrap();
        let mut resolver = Resolver::new(root.path());

        for (thread, name, expected) in [
            (7, &b"kworker/0:1\n"[..], "kworker/0:1"),
            (
                8,
                b"\x1b]0;a\x07b\xc2\x9bm\n",
                "\u{fffd}]0;a\u{fffd}b\u{fffd}m",
            ),
            // A long name is cut in the middle of a character.
            (9, b"abcdefghijklmn\xc3\n", "abcdefghijklmn\u{fffd}"),
        ] {
            let folder = root.path().join(format!("proc/{thread}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("comm"), name).unwrap();
            assert_eq!(&*resolver.process(Some(thread)), expected);
        }
        assert_eq!(&*resolver.process(Some(10)), "(ended)");
    }
}
