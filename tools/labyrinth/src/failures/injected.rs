// SPDX-License-Identifier: GPL-2.0

//! Failures that the fault injection of a debug kernel makes (fail_page_alloc). The page allocator
//! gives up before it has tried, so neither warn_alloc nor the tracepoint sees them.
//!
//! A kernel with kprobes gets a kretprobe that selects the requests that fail. This needs a field
//! for the result, which perf alone cannot define, so it is an event of tracefs in the group
//! `labyrinth`, named after the process. It is removed at the end. If the process was killed, the
//! next one removes it; meanwhile it is off.
//!
//! A kernel without kprobes tells only how many failures are left to inject, if there is a limit.

use super::{probe::Probe, tracefs};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

/// Selects the requests that fail.
pub const FILTER: &str = "failed != 0";
const GROUP: &str = "labyrinth";
const NAME: &str = "injected_";
const FUNCTION: &str = "should_fail_alloc_page";

/// Whether the kernel can inject failures.
pub fn possible(root: &Path) -> bool {
    root.join("sys/kernel/debug/fail_page_alloc").is_dir()
}

/// Returns how many failures are left to inject, if there is a limit.
pub fn left(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("sys/kernel/debug/fail_page_alloc/times")).ok()?;

    // Without a limit it is -1.
    text.trim().parse().ok()
}

/// An event of tracefs. It is removed when this is dropped, which must be after the perf events
/// that use it.
pub struct Event {
    control: PathBuf,
    name: String,
}

impl Event {
    /// Defines the event, and returns it with its probe.
    pub fn define(root: &Path) -> io::Result<(Self, Probe)> {
        let tracefs = tracefs::find(root).ok_or(io::ErrorKind::NotFound)?;
        let control = tracefs.join("kprobe_events");
        remove_stale(root, &control);
        let name = format!("{GROUP}/{NAME}{}", process::id());
        // So many requests can sleep in the function at once. Kernels before 6.9 have no arguments
        // at the return.
        let define = |arguments| {
            let command = format!("r256:{name} {FUNCTION} failed=$retval:u8{arguments}");
            write(&control, &command)
        };

        define(" gfp_flags=$arg1:u32 order=$arg2:u32").or_else(|_| define(""))?;
        let event = Self { control, name };
        let probe = Probe::of_injected(&tracefs, &event.name)?;
        Ok((event, probe))
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // The next process tries again.
        let _ = write(&self.control, &format!("-:{}", self.name));
    }
}

/// Removes the events of processes that no longer exist.
pub fn remove_stale(root: &Path, control: &Path) {
    let text = fs::read_to_string(control).unwrap_or_default();

    for process in owners(&text).filter(|process| !is_alive(root, process)) {
        // If it is in use, its owner lives, in another PID namespace.
        let _ = write(control, &format!("-:{GROUP}/{NAME}{process}"));
    }
}

/// Whether a process exists, and is this tool.
fn is_alive(root: &Path, process: &str) -> bool {
    fs::read_to_string(root.join("proc").join(process).join("comm"))
        .is_ok_and(|name| name.trim_end() == "labyrinth")
}

/// Returns the owners of this tool's events in a list such as "r256:labyrinth/injected_42 f …".
fn owners(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter_map(|line| {
        let (_, name) = line.split(' ').next()?.split_once(':')?;
        name.strip_prefix(GROUP)?
            .strip_prefix('/')?
            .strip_prefix(NAME)
    })
}

/// Appends a command, as truncating the file would remove the probes of others.
fn write(control: &Path, command: &str) -> io::Result<()> {
    OpenOptions::new()
        .append(true)
        .open(control)?
        .write_all(command.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{left, owners, remove_stale};
    use std::fs;

    #[test]
    fn only_own_events_have_owners() {
        let list = "p:kprobes/warn warn_alloc\nr256:labyrinth/injected_42 f failed=$retval:u8\n\
            r:labyrinth/other_7 f\n";

        assert_eq!(owners(list).collect::<Vec<_>>(), ["42"]);
    }

    #[test]
    fn events_of_the_dead_are_removed() {
        let root = tempfile::tempdir().unwrap();
        let control = root.path().join("kprobe_events");
        let list = "r256:labyrinth/injected_42 f\nr256:labyrinth/injected_43 f\n";

        for (process, name) in [("42", "labyrinth\n"), ("43", "bash\n")] {
            let folder = root.path().join("proc").join(process);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("comm"), name).unwrap();
        }
        fs::write(&control, list).unwrap();
        remove_stale(root.path(), &control);
        assert_eq!(
            fs::read_to_string(&control).unwrap(),
            format!("{list}-:labyrinth/injected_43")
        );
    }

    #[test]
    fn a_limit_can_be_missing() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sys/kernel/debug/fail_page_alloc");

        assert_eq!(left(root.path()), None);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("times"), "-1\n").unwrap();
        assert_eq!(left(root.path()), None);
        fs::write(folder.join("times"), "17\n").unwrap();
        assert_eq!(left(root.path()), Some(17));
    }
}
