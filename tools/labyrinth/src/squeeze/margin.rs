// SPDX-License-Identifier: GPL-2.0

//! Decides whether the machine has enough reclaimable memory for a squeeze.
//!
//! During a squeeze, all zones are far below their min watermarks. So each request that may sleep
//! must reclaim memory first, and the OOM killer runs if there is nothing to reclaim. The tool
//! assumes that the kernel can reclaim clean unmapped page cache, and half of the reclaimable slab,
//! without harm. Mapped page cache has the code of running programs, which hardly make progress
//! without it. The kernel runs the OOM killer sooner than it reclaims what `memory.min` of a control
//! group protects.
//!
//! The margin is the sum of all high watermarks. kswapd reclaims until free memory reaches these,
//! so a machine with less reclaimable memory would lose all of it. The squeeze itself can make the
//! kernel raise the watermarks (`vm.watermark_boost_factor`), so the margin contains the highest
//! boost.

use crate::{
    exit::Problem,
    headroom::{
        look::kernel,
        model::{more_boost, Kernel},
    },
    memory::zoneinfo::{self, Zone},
    units,
};
use std::{fs, path::Path};

/// The mount point of the control groups.
pub const CGROUPS: &str = "/sys/fs/cgroup";

/// The state of the memory, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margin {
    /// Pages that can be reclaimed without harm.
    pub reclaimable: u64,
    /// The least number of pages that must stay reclaimable.
    pub needed: u64,
    /// The sum of all min watermarks. With less memory, requests that may sleep cannot succeed.
    pub least: u64,
    /// Free pages in zones and in the lists of CPUs.
    pub free: u64,
    /// The size of a page.
    page: u64,
}

impl Margin {
    /// Reads the state of the memory.
    pub fn read(proc: &Path, cgroups: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(proc.join("meminfo"))?;
        let zones = zoneinfo::read(proc)?;
        let page = rustix::param::page_size() as u64;

        Ok(Self::of(
            &text,
            &zones,
            kernel(proc),
            page,
            protected(cgroups) / page,
        ))
    }

    fn of(meminfo: &str, zones: &[Zone], kernel: Kernel, page: u64, protected: u64) -> Self {
        let pages = |name: &str| {
            meminfo
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|&(word, _)| word == name)
                .and_then(|(_, value)| value.split_whitespace().next()?.parse::<u64>().ok())
                .unwrap_or(0)
                * 1024
                / page
        };
        let files = pages("Active(file)") + pages("Inactive(file)");
        let kept = pages("Mapped") + pages("Dirty") + pages("Writeback");
        let lists = zones.iter().flat_map(|zone| &zone.lists);

        Self {
            reclaimable: (files.saturating_sub(kept) + pages("SReclaimable") / 2)
                .saturating_sub(protected),
            needed: zones
                .iter()
                .map(|zone| zone.high + more_boost(zone, kernel))
                .sum(),
            least: zones.iter().map(|zone| zone.min).sum(),
            free: zones.iter().map(|zone| zone.free).sum::<u64>()
                + lists.map(|list| list.count).sum::<u64>(),
            page,
        }
    }

    /// Returns whether enough memory can be reclaimed.
    pub fn is_kept(&self) -> bool {
        self.reclaimable >= self.needed
    }

    /// Returns whether so little memory is left that the OOM killer may run soon.
    pub fn is_running_out(&self) -> bool {
        self.free + self.reclaimable < self.least
    }

    /// Returns how many pages may be held: the free pages, and the reclaimable pages beyond the
    /// margin.
    pub fn may_hold(&self) -> u64 {
        self.free + self.reclaimable.saturating_sub(self.needed)
    }

    /// Says why the machine cannot be squeezed.
    pub fn problem(&self) -> Problem {
        Problem::cannot_run(
            format!(
                "the OOM killer could run during the squeeze: {} of memory can be reclaimed, but \
                 {} are needed",
                units::bytes(self.reclaimable * self.page),
                units::bytes(self.needed * self.page)
            ),
            format!(
                "read {} of files into the page cache (cat FILES >/dev/null), lower \
                 vm.min_free_kbytes, or use --force on a machine that may lose processes",
                units::bytes(self.needed.saturating_sub(self.reclaimable) * self.page)
            ),
        )
    }
}

/// Returns how many bytes `memory.min` protects from reclaim at most. A group protects no more than
/// the groups above it, so only the highest groups count.
fn protected(cgroups: &Path) -> u64 {
    let of = |group: &Path| {
        let read = |name| fs::read_to_string(group.join(name)).ok();
        let bytes = |text: String| match text.trim() {
            "max" => Some(u64::MAX),
            number => number.parse().ok(),
        };
        let least: u64 = read("memory.min").and_then(bytes)?;
        Some(least.min(read("memory.current").and_then(bytes)?))
    };

    fs::read_dir(cgroups)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|group| of(&group.path()))
        .fold(0, u64::saturating_add)
}

/// Returns how many processes the OOM killer has killed since boot.
pub fn killed(proc: &Path) -> u64 {
    fs::read_to_string(proc.join("vmstat"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{killed, protected, Margin};
    use crate::{
        headroom::model::Kernel,
        memory::zoneinfo::{parse, tests::TEXT},
    };

    const WITHOUT_BOOST: Kernel = Kernel {
        version: (7, 3),
        release: 4,
        boost_factor: 0,
    };

    fn margin(files_kb: u64) -> Margin {
        let text = format!(
            "MemFree: 1 kB\nActive(file): {files_kb} kB\nInactive(file): 400 kB\nMapped: 200 kB\n\
             Dirty: 100 kB\nWriteback: 0 kB\nSReclaimable: 80 kB\n"
        );
        Margin::of(&text, &parse(TEXT), WITHOUT_BOOST, 4096, 0)
    }

    #[test]
    fn mapped_and_dirty_files_stay() {
        let without = margin(0);
        assert_eq!(without.reclaimable, (400 - 200 - 100) / 4 + 80 / 8);
        assert_eq!(margin(4000).reclaimable, without.reclaimable + 1000);
    }

    #[test]
    fn the_high_watermarks_must_stay() {
        let needed: u64 = parse(TEXT).iter().map(|zone| zone.high).sum();
        let little = margin(0);
        assert!(needed > 0 && little.needed == needed);
        assert!(!little.is_kept() && !little.is_running_out());
        assert_eq!(little.may_hold(), little.free);
        let much = margin(needed * 4 + 4000);
        assert!(much.is_kept());
        assert_eq!(much.may_hold() - much.free, much.reclaimable - needed);
        assert!(little.problem().fix().contains("--force"));
    }

    #[test]
    fn the_kernel_may_raise_the_watermarks() {
        let mut zones = parse(TEXT);
        zones.retain(|zone| zone.managed > 100_000);
        assert!(!zones.is_empty());
        let needed = |zones: &[_], boost_factor| {
            let kernel = Kernel {
                boost_factor,
                ..WITHOUT_BOOST
            };
            Margin::of("", zones, kernel, 4096, 0).needed
        };
        let before = needed(&zones, 0);
        let raised = needed(&zones, 15_000);
        assert!(raised > 2 * before, "{before} {raised}");

        // Once the kernel has raised them, nothing is added.
        for zone in &mut zones {
            zone.boost = raised;
            zone.high += raised;
        }
        assert_eq!(needed(&zones, 15_000), needed(&zones, 0));
    }

    #[test]
    fn the_min_watermarks_are_the_end() {
        let mut zones = parse(TEXT);
        for zone in &mut zones {
            (zone.free, zone.lists) = (0, Vec::new());
        }
        let least: u64 = zones.iter().map(|zone| zone.min).sum();
        let with = |pages: u64| {
            let text = format!("Active(file): {} kB", 4 * pages);
            Margin::of(&text, &zones, WITHOUT_BOOST, 4096, 9)
        };
        assert!(with(least + 8).is_running_out());
        assert!(!with(least + 9).is_running_out());
    }

    #[test]
    fn groups_protect_what_they_have() {
        let folder = tempfile::tempdir().unwrap();
        for (group, least, has) in [("a", "max", 1000), ("b", "500", 2000), ("c", "0", 4000)] {
            let group = folder.path().join(group);
            std::fs::create_dir(&group).unwrap();
            std::fs::write(group.join("memory.min"), format!("{least}\n")).unwrap();
            std::fs::write(group.join("memory.current"), format!("{has}\n")).unwrap();
        }
        std::fs::create_dir(folder.path().join("without")).unwrap();
        assert_eq!(protected(folder.path()), 1500);
        assert_eq!(protected(&folder.path().join("missing")), 0);
    }

    #[test]
    fn kills_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(killed(folder.path()), 0);
        std::fs::write(folder.path().join("vmstat"), "pgfree 1\noom_kill 3\n").unwrap();
        assert_eq!(killed(folder.path()), 3);
    }
}
