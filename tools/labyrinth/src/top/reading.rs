// SPDX-License-Identifier: GPL-2.0

//! Reads all values for an update.

use crate::{
    failures::{overview::Overview, probe::Source, tally::Row},
    headroom::{self, look, model::Kernel},
    memory::zoneinfo,
    module::{
        metrics::{self, Metrics},
        Module,
    },
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The values of one reading.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The time since the start.
    pub at: Duration,
    /// The headroom.
    pub headroom: Option<Room>,
    /// The failures since the start.
    pub failures: Option<Failed>,
    /// The numbers of the module.
    pub module: Option<Metrics>,
    /// Notes on missing values, with the fix.
    pub notes: Vec<String>,
}

/// Requests of order 0 with GFP_ATOMIC that a burst can still get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// The estimate.
    pub requests: u64,
    /// The number in the worst case.
    pub at_least: u64,
    /// The number in the best case.
    pub at_most: u64,
}

/// Failures since the start.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The source of the failures.
    pub source: Source,
    /// The number of failures.
    pub count: u64,
    /// The most frequent failures.
    pub rows: Vec<Row>,
}

/// The sources of the values.
pub struct Sources {
    root: PathBuf,
    start: Instant,
    kernel: Kernel,
    failures: Failures,
    is_root: bool,
    /// The buffer for the text of `metrics`. It is large, so it is reused.
    text: String,
}

/// The counting of failures.
enum Failures {
    /// It has not begun yet.
    Later,
    /// An overview counts them.
    Counted(Box<Overview>),
    /// They cannot be counted, for this reason.
    Unseen(String),
}

impl Sources {
    /// Prepares to read. `root` is `/` except in tests.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            start: Instant::now(),
            kernel: look::kernel(&root.join("proc")),
            failures: Failures::Later,
            is_root: rustix::process::geteuid().is_root(),
            text: String::new(),
        }
    }

    /// Starts to count failures. It can take seconds on a machine with many CPUs.
    pub fn count_failures(&mut self) {
        self.failures = match Overview::start(&self.root) {
            Ok(overview) => Failures::Counted(Box::new(overview)),
            Err(error) => Failures::Unseen(advice("failures", &error)),
        };
    }

    /// Reads everything.
    pub fn read(&mut self) -> Reading {
        let mut reading = Reading {
            at: self.start.elapsed(),
            ..Reading::default()
        };
        let mut notes = Vec::new();

        match self.headroom() {
            Ok(room) => reading.headroom = Some(room),
            Err(error) => reading.notes.push(advice("headroom", &error)),
        }
        match self.module() {
            Ok(metrics) => reading.module = Some(metrics),
            Err(error) => notes.push(advice("contexts and pools", &error)),
        }
        match &mut self.failures {
            Failures::Later => {}
            Failures::Counted(overview) => {
                reading.failures = Some(Failed {
                    source: overview.source(),
                    count: overview.collect(),
                    rows: overview.rows().to_vec(),
                });
                if overview.is_blind() {
                    notes.push(
                        "injected failures are not counted: use labyrinth failures".to_owned(),
                    );
                }
            }
            Failures::Unseen(why) => notes.push(why.clone()),
        }
        if !self.is_root && reading.module.is_none() && reading.failures.is_none() {
            notes = vec![
                "only root can see contexts, pools and failures: sudo labyrinth top".to_owned(),
            ];
        }
        reading.notes.extend(notes);
        if reading
            .module
            .as_ref()
            .is_some_and(|module| module.recording == Some(0))
        {
            reading.notes.push(
                "the module records nothing: echo 1 > /sys/kernel/debug/labyrinth/recording"
                    .to_owned(),
            );
        }
        reading
    }

    fn headroom(&self) -> anyhow::Result<Room> {
        let proc = self.root.join("proc");
        let mut zones = zoneinfo::read(&proc)?;

        look::complete(&proc, &mut zones, self.kernel);
        let found = look::answer(&zones, headroom::USUAL, self.kernel, |_| None)?;

        Ok(Room {
            requests: found.requests,
            at_least: found.at_least,
            at_most: found.at_most,
        })
    }

    fn module(&mut self) -> anyhow::Result<Metrics> {
        let module = Module::find(&self.root.join("sys"))?;

        module.read_into("metrics", &mut self.text)?;
        // The text is cut off if the module is unloaded at this moment, or if the text is too long.
        metrics::parse(&self.text)
            .ok_or_else(|| anyhow::anyhow!("the end of the module's file metrics is missing"))
    }
}

/// Returns the error and its fix in one line.
fn advice(of: &str, error: &anyhow::Error) -> String {
    match error.downcast_ref::<crate::exit::Problem>() {
        Some(problem) => format!("{}: {}", problem.what(), problem.fix()),
        None => format!("{of}: {error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Sources;
    use crate::{memory::zoneinfo::tests::TEXT as ZONES, module::metrics::tests::TEXT};
    use std::{fs, path::Path};

    fn put(root: &Path, file: &str, text: &str) {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_module_comes_and_goes() {
        let root = tempfile::tempdir().unwrap();
        let mut sources = Sources::new(root.path());
        sources.is_root = true;
        put(root.path(), "proc/zoneinfo", ZONES);
        let without = sources.read();
        assert!(without.headroom.unwrap().requests > 0 && without.module.is_none());
        let [note] = &without.notes[..] else {
            panic!("{:?}", without.notes);
        };
        // It must fit into a line of 80 columns.
        assert!(
            note.contains("modprobe labyrinth") && note.len() <= 80,
            "{note}"
        );
        put(root.path(), "sys/kernel/debug/labyrinth/metrics", TEXT);
        let with = sources.read();
        assert_eq!(
            (with.module.unwrap().series.len(), with.notes.len()),
            (2, 0)
        );
        let recording = TEXT.replace("recording 1", "recording 0");
        put(
            root.path(),
            "sys/kernel/debug/labyrinth/metrics",
            &recording,
        );
        assert!(sources.read().notes[0].contains("echo 1 >"));
        put(
            root.path(),
            "sys/kernel/debug/labyrinth/metrics",
            &TEXT[..200],
        );
        let half = sources.read();
        assert!(
            half.module.is_none() && half.notes[0].contains("metrics"),
            "{:?}",
            half.notes
        );
    }

    #[test]
    fn ordinary_users_are_told_what_they_miss() {
        let root = tempfile::tempdir().unwrap();
        let mut sources = Sources::new(root.path());
        sources.is_root = false;
        put(root.path(), "proc/zoneinfo", ZONES);
        sources.count_failures();
        let reading = sources.read();
        assert!(reading.headroom.is_some() && reading.failures.is_none());
        let [note] = &reading.notes[..] else {
            panic!("{:?}", reading.notes);
        };
        assert!(
            note.contains("sudo labyrinth top") && note.len() <= 80,
            "{note}"
        );
    }

    #[test]
    fn failures_that_cannot_be_seen_are_explained() {
        let root = tempfile::tempdir().unwrap();
        let mut sources = Sources::new(root.path());
        sources.is_root = true;
        sources.count_failures();
        let notes = sources.read().notes;
        assert!(notes.iter().any(|note| note.contains("CPUs")), "{notes:?}");
        assert!(
            notes.iter().any(|note| note.contains("mount /proc")),
            "{notes:?}"
        );
    }
}
