// SPDX-License-Identifier: GPL-2.0

//! Looks at the memory once.

use super::{
    blocks,
    document::{Headroom, ZoneHeadroom},
    list::Served,
    model::{self, may_use, Gfp, Kernel, Request},
};
use crate::{
    exit::Problem,
    memory::{buddyinfo, pagetypeinfo, zoneinfo, zoneinfo::Zone},
};
use std::{fs, path::Path};

/// The default of the kernel.
const BOOST_FACTOR: u64 = 15_000;

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The flags of the requests.
    pub gfp: Gfp,
    /// Their order.
    pub order: u32,
    /// The only node to use.
    pub node: Option<u32>,
    /// The CPU of the burst.
    pub cpu: Option<u32>,
    /// Whether to read pagetypeinfo, during which the kernel turns interrupts off.
    pub types: bool,
}

/// Answers a question. `proc` is `/proc` except in tests.
pub fn look(proc: &Path, question: Question) -> anyhow::Result<Headroom> {
    let all = zoneinfo::read(proc)?;
    let high = question.order > 0;
    let buddies = if high {
        buddyinfo::read(proc)
    } else {
        Vec::new()
    };
    let types = if high && question.types {
        pagetypeinfo::read(proc)
    } else {
        None
    };
    let request = Request {
        gfp: question.gfp,
        order: question.order,
        place: Zone::place_of_normal(&all).unwrap_or(usize::MAX),
        cpu: question.cpu,
    };
    let kernel = kernel(proc);
    let mut total = Served::default();
    let mut zones = Vec::new();
    let mut cannot_see = Vec::new();

    check_cpu(&all, question.cpu)?;
    for zone in all.iter().filter(|zone| may_use(zone, request)) {
        if question.node.is_some_and(|node| node != zone.node) {
            continue;
        }
        let blocks = if high {
            blocks::of(zone, &buddies, types.as_ref(), question.order)
        } else {
            None
        };
        let (arithmetic, served) = model::arithmetic(zone, blocks, request, kernel);
        let name = format!("node {}, zone {}", zone.node, zone.name);
        match blocks {
            None if high => cannot_see.push(format!("{name}: free blocks (no buddyinfo)")),
            Some(blocks) if !blocks.exact => cannot_see.push(format!(
                "{name}: which free blocks are in CMA areas (root can see them)"
            )),
            _ => {}
        }
        if zone.lists.is_empty() {
            cannot_see.push(format!("{name}: the lists of the CPUs"));
        }
        total = total.and(served);
        zones.push(ZoneHeadroom {
            node: zone.node,
            zone: zone.name.clone(),
            requests: served.estimate,
            at_least: served.at_least,
            at_most: served.at_most,
            arithmetic,
        });
    }
    if zones.is_empty() {
        return Err(no_zone(&all, question.node).into());
    }
    Ok(Headroom {
        schema: "labyrinth/headroom/1",
        gfp: question.gfp.name(),
        order: question.order,
        cpu: question.cpu,
        requests: total.estimate,
        at_least: total.at_least,
        at_most: total.at_most,
        least: total.estimate,
        zones,
        cannot_see,
    })
}

/// Reads what the rules depend on. A kernel that does not tell is taken for a new one.
fn kernel(proc: &Path) -> Kernel {
    let read = |name| fs::read_to_string(proc.join("sys").join(name)).ok();
    let version = read("kernel/osrelease").and_then(|release| {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    });

    Kernel {
        version: version.unwrap_or((u32::MAX, 0)),
        boost_factor: read("vm/watermark_boost_factor")
            .and_then(|factor| factor.trim().parse().ok())
            .unwrap_or(BOOST_FACTOR),
    }
}

fn check_cpu(zones: &[Zone], cpu: Option<u32>) -> Result<(), Problem> {
    let mut cpus = zones.iter().flat_map(|zone| &zone.lists);
    let (Some(wanted), Some(_)) = (cpu, cpus.clone().next()) else {
        return Ok(());
    };

    if cpus.any(|list| list.cpu == wanted) {
        return Ok(());
    }
    Err(Problem::usage(
        format!("CPU {wanted} is not online"),
        "use one of the CPUs in /sys/devices/system/cpu/online",
    ))
}

fn no_zone(zones: &[Zone], node: Option<u32>) -> Problem {
    let mut nodes: Vec<u32> = zones
        .iter()
        .filter(|zone| zone.is_populated())
        .map(|zone| zone.node)
        .collect();
    nodes.dedup();
    let nodes: Vec<String> = nodes.iter().map(u32::to_string).collect();

    Problem::usage(
        format!(
            "no node {} with memory that the kernel may use",
            node.unwrap_or(0)
        ),
        format!("use one of the nodes {}", nodes.join(", ")),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{kernel, look, Question};
    use crate::{
        headroom::{document::Headroom, model::Gfp},
        memory::zoneinfo::tests::TEXT,
    };
    use std::{fs, path::Path};

    pub(crate) const QUESTION: Question = Question {
        gfp: Gfp::Atomic,
        order: 0,
        node: None,
        cpu: None,
        types: true,
    };

    /// A made-up /proc.
    fn proc() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let buddies = "Node 0, zone    DMA  0 0 4 0\nNode 0, zone  DMA32  0 9 5 300\n";
        for (name, text) in [
            ("zoneinfo", TEXT),
            ("buddyinfo", buddies),
            ("sys/kernel/osrelease", "6.1.0-44-amd64\n"),
            ("sys/vm/watermark_boost_factor", "0\n"),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// The headroom of a made-up machine.
    pub(crate) fn example(question: Question) -> Headroom {
        look(proc().path(), question).unwrap()
    }

    #[test]
    fn zones_are_added_up() {
        let answer = example(QUESTION);
        assert_eq!(answer.zones.len(), 2);
        let sum: u64 = answer.zones.iter().map(|zone| zone.requests).sum();
        assert_eq!(answer.requests, sum);
        assert!(answer.at_least <= sum && sum <= answer.at_most);
        assert!(answer.cannot_see.is_empty(), "{:?}", answer.cannot_see);
    }

    #[test]
    fn what_is_not_seen_is_said() {
        let answer = example(Question {
            order: 2,
            ..QUESTION
        });
        assert_eq!(answer.cannot_see.len(), 1, "{:?}", answer.cannot_see);
        assert!(answer.cannot_see[0].contains("DMA32"));
        // 1,024 of the pages are in CMA areas, perhaps as blocks of order 2.
        assert_eq!(answer.zones[1].arithmetic.blocks, Some(5 + 2 * 300 - 256));
    }

    #[test]
    fn unknown_places_are_problems() {
        let folder = proc();
        let ask = |question| look(folder.path(), question).unwrap_err().to_string();
        let node = Some(1);
        assert!(ask(Question { node, ..QUESTION }).contains("no node 1"));
        let cpu = Some(7);
        assert!(ask(Question { cpu, ..QUESTION }).contains("CPU 7 is not online"));
    }

    #[test]
    fn the_kernel_is_recognized() {
        assert_eq!(kernel(proc().path()).version, (6, 1));
        assert_eq!(kernel(proc().path()).boost_factor, 0);
        assert_eq!(kernel(Path::new("/nonexistent")).version.0, u32::MAX);
    }
}
