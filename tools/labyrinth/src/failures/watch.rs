// SPDX-License-Identifier: GPL-2.0

//! A probe on all CPUs, with those that come and go meanwhile.

use super::probe::{Probe, Raw};
use crate::progress::Progress;
use perf_event_open::{
    count::Counter,
    sample::{record::Record, Sampler},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
};

/// The buffer of a CPU has two to this power of pages, unless memory is short: 2 MiB, which is
/// about 5,000 failures.
const MOST: u8 = 9;
const LEAST: u8 = 2;
/// All buffers together take at most this part of the memory.
const SHARE: u64 = 64;

/// A probe on all CPUs.
pub struct Watch {
    probe: Probe,
    root: PathBuf,
    size: u8,
    cpus: BTreeMap<u32, OnCpu>,
    /// The failures on CPUs that have gone offline.
    gone: u64,
    /// The failures whose record was read.
    seen: u64,
}

/// Returns the progress display for the start of a probe.
pub fn progress() -> Progress {
    Progress::new("starting the probe")
}

struct OnCpu {
    // Declared first, so that the buffer is unmapped before the event is closed.
    sampler: Sampler,
    counter: Counter,
    count: u64,
    /// Whether the kernel has ended the event, as the CPU is offline.
    ended: bool,
}

impl Watch {
    /// Starts the probe on these CPUs, and shows the progress.
    pub fn start(
        probe: Probe,
        root: &Path,
        cpus: &BTreeSet<u32>,
        mut progress: Progress,
    ) -> io::Result<Self> {
        let mut watch = Self {
            probe,
            root: root.to_owned(),
            size: size(root, cpus.len()),
            cpus: BTreeMap::new(),
            gone: 0,
            seen: 0,
        };

        for (index, &cpu) in cpus.iter().enumerate() {
            progress.at(|| format!("{index} of {} CPUs", cpus.len()));
            watch.open(cpu)?;
        }
        Ok(watch)
    }

    fn open(&mut self, cpu: u32) -> io::Result<()> {
        let counter = self.probe.open(&self.root, cpu)?;
        let sampler = loop {
            match counter.sampler(self.size) {
                Ok(sampler) => break sampler,
                Err(_) if self.size > LEAST => self.size -= 1,
                Err(error) => return Err(error),
            }
        };

        self.cpus.insert(
            cpu,
            OnCpu {
                sampler,
                counter,
                count: 0,
                ended: false,
            },
        );
        Ok(())
    }

    /// Stops the probe. Records that are not read yet can still be read.
    pub fn stop(&mut self) {
        for on in self.cpus.values() {
            // It fails only if the CPU is offline, so that the probe has stopped already.
            let _ = on.counter.disable();
        }
    }

    /// Follows CPUs that went online or offline. The records must have been read.
    pub fn follow(&mut self, online: &BTreeSet<u32>, switched: &BTreeSet<u32>) {
        let stale: Vec<u32> = self
            .cpus
            .iter()
            .filter(|(cpu, on)| on.ended || switched.contains(cpu) || !online.contains(cpu))
            .map(|(&cpu, _)| cpu)
            .collect();

        for cpu in stale {
            if let Some(mut on) = self.cpus.remove(&cpu) {
                on.update();
                self.gone += on.count;
            }
        }
        for &cpu in online {
            if !self.cpus.contains_key(&cpu) {
                // It can be offline again, in which case the next message says so.
                let _ = self.open(cpu);
            }
        }
    }

    /// Reads all records.
    pub fn drain(&mut self, mut each: impl FnMut(&Probe, Raw)) {
        for on in self.cpus.values_mut() {
            let Some(records) = on.sampler.iter() else {
                continue;
            };

            for (_, record) in records {
                if let Record::Sample(sample) = record {
                    self.seen += 1;
                    each(&self.probe, self.probe.read(&sample));
                }
            }
        }
    }

    /// Returns the number of failures so far. It is exact, whether or not their records were lost.
    pub fn total(&mut self) -> u64 {
        for on in self.cpus.values_mut() {
            on.update();
        }
        // A CPU that went offline can fail to tell its number.
        self.seen
            .max(self.gone + self.cpus.values().map(|on| on.count).sum::<u64>())
    }

    /// Returns the number of failures whose record was read.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Returns the CPUs, with what to wait for.
    pub fn files(&self) -> impl Iterator<Item = (u32, BorrowedFd<'_>)> {
        self.cpus
            .iter()
            .filter(|(_, on)| !on.ended)
            .map(|(&cpu, on)| (cpu, on.counter.file().as_fd()))
    }

    /// Remembers that the kernel has ended the events of these CPUs, which cannot be waited for.
    pub fn ended(&mut self, cpus: &[u32]) {
        for cpu in cpus {
            if let Some(on) = self.cpus.get_mut(cpu) {
                on.ended = true;
            }
        }
    }
}

impl OnCpu {
    fn update(&mut self) {
        if let Ok(stat) = self.counter.stat() {
            self.count = self.count.max(stat.count);
        }
    }
}

/// Returns the size of a buffer as a power of two of pages.
fn size(root: &Path, cpus: usize) -> u8 {
    let memory = fs::read_to_string(root.join("proc/meminfo"))
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
            line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .map_or(u64::MAX, |kib| kib * 1024);
    let pages = memory / SHARE / cpus.max(1) as u64 / rustix::param::page_size() as u64;

    (pages.checked_ilog2().unwrap_or(0) as u8).clamp(LEAST, MOST)
}

#[cfg(test)]
mod tests {
    use super::{size, LEAST, MOST};
    use std::fs;

    #[test]
    fn buffers_leave_memory_to_others() {
        let root = tempfile::tempdir().unwrap();

        fs::create_dir(root.path().join("proc")).unwrap();
        fs::write(
            root.path().join("proc/meminfo"),
            "MemTotal:  131072 kB\nMemFree: 1 kB\n",
        )
        .unwrap();
        assert_eq!(
            size(root.path(), 4),
            if rustix::param::page_size() == 4096 {
                7
            } else {
                5
            }
        );
        assert_eq!(size(root.path(), 1000), LEAST);
        fs::remove_file(root.path().join("proc/meminfo")).unwrap();
        assert_eq!(size(root.path(), 1), MOST);
    }
}
