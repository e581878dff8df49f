// SPDX-License-Identifier: GPL-2.0

//! Reports that are alike.

use super::report::{Kind, Report};
use std::collections::HashMap;

/// How many lines of further reports are named.
const NAMED: usize = 8;
/// How many kinds of reports are kept apart.
const MOST: usize = 10_000;
/// How many bytes they may take together.
const ROOM: usize = 32 << 20;

/// Reports with the same process, order, flags and caller.
#[derive(Clone, Debug)]
pub struct Group {
    /// The report that is shown: the first one that has everything, or else the first one.
    pub report: Report,
    /// How many there are.
    pub count: u64,
    /// The lines of the first ones that are not shown.
    pub lines: Vec<u64>,
    /// When the last one was, as the log has it.
    pub last_time: Option<String>,
}

/// Puts reports into groups.
#[derive(Default)]
pub struct Groups {
    groups: Vec<Group>,
    index: HashMap<Key, usize>,
    each: bool,
    /// About how many bytes all groups take.
    size: usize,
    /// Reports for which there was no room.
    pub left_out: u64,
}

type Key = (
    String,
    Option<String>,
    Option<u32>,
    Option<u64>,
    Option<String>,
);

impl Groups {
    /// Begins without reports. Each gets a group of its own if `each`.
    pub fn new(each: bool) -> Self {
        Self {
            each,
            ..Self::default()
        }
    }

    /// Adds a report.
    pub fn add(&mut self, report: Report) {
        let key = key(&report);
        let known = self.index.get(&key).copied().filter(|_| !self.each);

        if let Some(index) = known {
            let group = &mut self.groups[index];
            group.count += 1;
            group.last_time.clone_from(&report.time);
            let (old, new) = (group.report.size(), report.size());
            let fits = self.size + new <= ROOM + old;
            let line = if fits && worth(&report) > worth(&group.report) {
                self.size = self.size + new - old;
                std::mem::replace(&mut group.report, report).line
            } else {
                report.line
            };
            if group.lines.len() < NAMED {
                group.lines.push(line);
            }
            return;
        }
        let size = report.size() + size_of::<Group>() + size_of_key(&key);
        if self.groups.len() >= MOST || self.size + size > ROOM {
            self.left_out += 1;
            return;
        }
        self.size += size;
        self.index.insert(key, self.groups.len());
        self.groups.push(Group {
            count: 1,
            lines: Vec::new(),
            last_time: report.time.clone(),
            report,
        });
    }

    /// Returns the groups in the order of the log.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns how many reports there are.
    pub fn reports(&self) -> u64 {
        self.left_out + self.groups.iter().map(|group| group.count).sum::<u64>()
    }
}

fn size_of_key((kind, comm, _, _, caller): &Key) -> usize {
    let texts = [Some(kind), comm.as_ref(), caller.as_ref()];

    size_of::<Key>() + texts.into_iter().flatten().map(String::len).sum::<usize>()
}

/// A report that lacks less is worth more.
fn worth(report: &Report) -> (bool, bool, std::cmp::Reverse<usize>) {
    (
        report.memory.is_some() || report.is_memcg(),
        report.mode.is_some(),
        std::cmp::Reverse(report.unread.len()),
    )
}

fn key(report: &Report) -> Key {
    let kind = match &report.kind {
        Kind::Page => "page".to_owned(),
        Kind::Stall { .. } => "stall".to_owned(),
        Kind::Vmalloc { .. } => "vmalloc".to_owned(),
        Kind::Vmemmap => "vmemmap".to_owned(),
        Kind::Slab => format!("slab {}", report.slab.cache.as_deref().unwrap_or("")),
        Kind::Cma { area, pages, error } => format!("cma {area:?} {pages} {error}"),
        Kind::Oom => format!("oom {}", report.oom.memcg.as_deref().unwrap_or("")),
        Kind::MemInfo => "memory".to_owned(),
    };
    // The workers of the kernel differ by number only.
    let comm = report.comm.as_deref().map(|comm| {
        for prefix in ["kworker/", "swapper/", "ksoftirqd/", "irq/"] {
            if comm.starts_with(prefix) {
                return prefix.to_owned();
            }
        }
        comm.to_owned()
    });
    (
        kind,
        comm,
        report.order,
        report.mode.as_ref().map(|mode| mode.number),
        report.trace.caller(),
    )
}

#[cfg(test)]
mod tests {
    use super::Groups;
    use crate::explain::header::recognise;

    #[test]
    fn reports_that_are_alike_are_counted() {
        let report = |line, name: &str, order| {
            let text =
                format!("{name}: page allocation failure: order:{order}, mode:0x820(GFP_ATOMIC)");
            recognise("f", line, &text).unwrap()
        };
        let mut groups = Groups::new(false);
        groups.add(report(1, "swapper/0", 0));
        groups.add(report(5, "swapper/3", 0));
        groups.add(report(9, "swapper/3", 1));
        groups.add(report(11, "sh", 0));
        assert_eq!(
            groups
                .groups()
                .iter()
                .map(|group| group.count)
                .collect::<Vec<_>>(),
            [2, 1, 1]
        );
        assert_eq!(groups.groups()[0].lines, [5]);
        assert_eq!(groups.reports(), 4);
        let mut full = Groups::new(false);
        for order in 0..30 {
            let mut large = report(1, "sh", order);
            large.comm = Some("x".repeat(super::ROOM / 8));
            full.add(large);
        }
        assert!(full.left_out > 0 && full.groups().len() > 2);
        assert_eq!(full.reports(), 30);
        let mut each = Groups::new(true);
        each.add(report(1, "sh", 0));
        each.add(report(2, "sh", 0));
        assert_eq!(each.groups().len(), 2);
    }
}
