// SPDX-License-Identifier: GPL-2.0

//! A private instance of tracefs, which disturbs nobody else's tracing.

use crate::{exit::Problem, message::say};
use anyhow::Context;
use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

/// The beginning of the names of our instances. The process follows.
const PREFIX: &str = "labyrinth-";

/// A private instance, which is removed when this is dropped.
#[derive(Debug)]
pub struct Instance {
    folder: PathBuf,
}

impl Instance {
    /// Makes an instance that records these events, such as "kmem:mm_page_alloc" or "labyrinth".
    pub fn new(tracing: &Path, events: &[String]) -> anyhow::Result<Self> {
        let instances = tracing.join("instances");
        let folder = instances.join(format!("{PREFIX}{}", process::id()));
        fs::create_dir(&folder).map_err(|error| {
            Problem::cannot_run(
                format!(
                    "cannot make the tracing instance {}: {error}",
                    folder.display()
                ),
                "run as root, with tracefs mounted: mount -t tracefs none /sys/kernel/tracing",
            )
        })?;
        let instance = Self { folder };

        for event in events {
            instance.enable(event)?;
        }
        Ok(instance)
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
        if let Err(error) = fs::remove_dir(&self.folder) {
            say!("warning: cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// Removes the instances of killed processes. Errors do not matter: another process may remove the
/// same instance at this time, or the trace may still be open.
pub fn remove_orphans(tracing: &Path) {
    let instances = fs::read_dir(tracing.join("instances"));

    for entry in instances.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{remove_orphans, Instance};
    use std::{fs, path::Path};

    #[test]
    fn orphans_go_and_others_stay() {
        let tracing = tempfile::tempdir().unwrap();
        let instances = tracing.path().join("instances");
        for name in ["labyrinth-4294967295", "labyrinth-1", "mine"] {
            fs::create_dir_all(instances.join(name)).unwrap();
        }
        remove_orphans(tracing.path());
        let instance = Instance::new(tracing.path(), &[]).unwrap();
        let exists = |name: &str| Path::new(&instances).join(name).exists();
        assert!(!exists("labyrinth-4294967295") && exists("labyrinth-1") && exists("mine"));
        drop(instance);
        assert_eq!(fs::read_dir(&instances).unwrap().count(), 2);
    }

    #[test]
    fn an_unknown_event_is_named_and_nothing_stays() {
        let tracing = tempfile::tempdir().unwrap();
        fs::create_dir(tracing.path().join("instances")).unwrap();
        let error = Instance::new(tracing.path(), &["no:such".into()]).unwrap_err();
        assert!(error.to_string().contains("no:such"));
        assert_eq!(
            fs::read_dir(tracing.path().join("instances"))
                .unwrap()
                .count(),
            0
        );
    }
}
