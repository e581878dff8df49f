// SPDX-License-Identifier: GPL-2.0

//! A private instance of tracefs, which disturbs nobody else's tracing.
//!
//! The process that made an instance keeps one of its files open. The kernel does not remove an
//! instance with an open file, and it closes the files of a dead process. So an instance without an
//! owner is one that can be removed. The PID in the name is for people: it can be that of another
//! process by now, or come from another PID namespace.

use crate::{exit::Problem, message::say};
use anyhow::Context;
use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process,
};

/// The beginning of the names of our instances. The process follows.
const PREFIX: &str = "labyrinth-";
/// The file that the owner of an instance keeps open.
const HELD: &str = "tracing_on";
/// How many names are tried.
const NAMES: u32 = 100;

/// A private instance, which is removed when this is dropped.
#[derive(Debug)]
pub struct Instance {
    folder: PathBuf,
    /// Holds the instance.
    file: Option<File>,
}

impl Instance {
    /// Makes an instance that records these events, such as "kmem:mm_page_alloc" or "labyrinth".
    pub fn new(tracing: &Path, events: &[String]) -> anyhow::Result<Self> {
        let instances = tracing.join("instances");
        let instance = Self::make(&instances).map_err(|error| {
            Problem::cannot_run(
                format!(
                    "cannot make a tracing instance in {}: {error}",
                    instances.display()
                ),
                "run as root, with tracefs mounted: mount -t tracefs none /sys/kernel/tracing",
            )
        })?;

        for event in events {
            instance.enable(event)?;
        }
        Ok(instance)
    }

    /// Makes an instance with a name that is free.
    fn make(instances: &Path) -> io::Result<Self> {
        let mut last = io::Error::from(ErrorKind::AlreadyExists);

        for number in 0..NAMES {
            let more = if number == 0 {
                String::new()
            } else {
                format!("-{number}")
            };
            let folder = instances.join(format!("{PREFIX}{}{more}", process::id()));
            match fs::create_dir(&folder).and_then(|()| File::open(folder.join(HELD))) {
                Ok(file) => {
                    let file = Some(file);
                    return Ok(Self { folder, file });
                }
                // The instance of a dead process with this PID is still read by somebody, or
                // another run took the new one for that of a dead process.
                Err(error)
                    if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) =>
                {
                    last = error;
                }
                Err(error) => {
                    let _ = fs::remove_dir(&folder);
                    return Err(error);
                }
            }
        }
        Err(last)
    }

    fn enable(&self, event: &str) -> anyhow::Result<()> {
        let path = self
            .folder
            .join("events")
            .join(event.replace(':', "/"))
            .join("enable");

        fs::write(&path, "1").map_err(|error| {
            Problem::usage(
                format!("cannot trace the event {event}: {error}"),
                "use SYSTEM:EVENT or SYSTEM, as in /sys/kernel/tracing/available_events",
            )
            .into()
        })
    }

    /// Stops recording, and saves what was recorded in a file.
    pub fn save(&self, file: &Path) -> anyhow::Result<()> {
        fs::write(self.folder.join("tracing_on"), "0").context("cannot stop the trace")?;
        fs::copy(self.folder.join("trace"), file)
            .with_context(|| format!("cannot save the trace in {}", file.display()))?;
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.file = None;
        if let Err(error) = fs::remove_dir(&self.folder) {
            say!("warning: cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// Returns whether an instance has a name that [`Instance::make`] gives. Others may use the prefix,
/// too, but with words after it.
fn is_ours(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.split('-').count() <= 2 && rest.split('-').all(number))
}

/// Removes the instances of killed processes. Errors do not matter: the owner of an instance may
/// live, another process may remove the same instance at this time, or somebody reads the trace.
pub fn remove_orphans(tracing: &Path) {
    let instances = fs::read_dir(tracing.join("instances"));

    for entry in instances.into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name.to_str().is_some_and(is_ours) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_ours, remove_orphans, Instance};
    use std::fs;

    /// A folder that cannot be removed stands for an instance that is held, because it has a file
    /// in it. The guest tests use tracefs itself.
    #[test]
    fn orphans_go_and_others_stay() {
        let tracing = tempfile::tempdir().unwrap();
        let instances = tracing.path().join("instances");
        for name in ["labyrinth-1", "labyrinth-2", "labyrinth-3-1", "mine"] {
            fs::create_dir_all(instances.join(name)).unwrap();
        }
        fs::write(instances.join("labyrinth-2/tracing_on"), "1").unwrap();
        remove_orphans(tracing.path());
        let exists = |name: &str| instances.join(name).exists();
        assert!(!exists("labyrinth-1") && exists("labyrinth-2") && exists("mine"));
        assert!(!exists("labyrinth-3-1"));
    }

    #[test]
    fn others_may_use_the_prefix() {
        for name in [
            "labyrinth-",
            "labyrinth-mine",
            "labyrinth-1-",
            "labyrinth-1-2-3",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }

    #[test]
    fn a_folder_without_tracefs_is_named() {
        let tracing = tempfile::tempdir().unwrap();
        let error = Instance::new(tracing.path(), &[]).unwrap_err();
        assert!(error.to_string().contains("instances"), "{error}");
    }
}
