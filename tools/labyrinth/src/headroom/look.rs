// SPDX-License-Identifier: GPL-2.0

//! Looks at the memory once.

use super::{
    blocks::{self, Blocks},
    document::{Headroom, ZoneHeadroom},
    list::Served,
    model::{self, may_use, Gfp, Kernel, Request, PAGE_BLOCK},
};
use crate::{
    exit::Problem,
    memory::{
        buddyinfo,
        pagetypeinfo::{self, Reserved},
        zoneinfo::{self, Zone},
    },
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
    look_again(proc, question, &mut Vec::new())
}

/// Answers a question. `reserved` are the reserves for atomic requests of high orders that an
/// earlier look has read from pagetypeinfo. This look updates them if it may read this file.
pub fn look_again(
    proc: &Path,
    question: Question,
    reserved: &mut Vec<Reserved>,
) -> anyhow::Result<Headroom> {
    let mut all = zoneinfo::read(proc)?;
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
    let kernel = kernel(proc);

    if all.iter().any(Zone::highatomic_is_unknown) {
        if question.types {
            *reserved = pagetypeinfo::read_reserved(proc).unwrap_or_default();
        }
        add_reserved(&mut all, reserved, !question.types);
    }
    complete(proc, &mut all, kernel);
    answer(&all, question, kernel, |zone| {
        blocks::of(zone, &buddies, types.as_ref(), question.order)
    })
}

/// Computes the values that zoneinfo of old kernels does not have. Only on such a kernel, reads a
/// setting.
pub fn complete(proc: &Path, zones: &mut [Zone], kernel: Kernel) {
    if kernel.version >= (6, 7) {
        add_bounds(zones);
    }
    if zones
        .iter()
        .all(|zone| zone.boost_is_shown || !zone.is_populated())
    {
        return;
    }
    if let Some(setting) = fs::read_to_string(proc.join("sys/vm/min_free_kbytes"))
        .ok()
        .and_then(|text| text.trim().parse().ok())
    {
        add_boosts(zones, setting);
    }
}

/// Answers a question from complete zones. `of_zone` returns the free blocks of a zone, and is
/// called only if the order is above 0.
pub fn answer(
    all: &[Zone],
    question: Question,
    kernel: Kernel,
    of_zone: impl Fn(&Zone) -> Option<Blocks>,
) -> anyhow::Result<Headroom> {
    let high = question.order > 0;
    let request = Request {
        gfp: question.gfp,
        order: question.order,
        place: Zone::place_of_normal(all).unwrap_or(usize::MAX),
        cpu: question.cpu,
    };
    let mut total = Served::default();
    let mut zones = Vec::new();
    let mut cannot_see = Vec::new();

    check_cpu(all, question.cpu)?;
    for zone in all.iter().filter(|zone| may_use(zone, request)) {
        if question.node.is_some_and(|node| node != zone.node) {
            continue;
        }
        let blocks = if high { of_zone(zone) } else { None };
        let (arithmetic, served) = model::arithmetic(zone, blocks, request, kernel);
        let name = format!("node {}, zone {}", zone.node, zone.name);
        match blocks {
            None if high => cannot_see.push(format!("{name}: free blocks (no buddyinfo)")),
            Some(blocks) if !blocks.exact => cannot_see.push(format!(
                "{name}: which free blocks are in CMA areas (root can see them)"
            )),
            _ => {}
        }
        if zone.highatomic_is_unknown() {
            cannot_see.push(format!(
                "{name}: how much is reserved for atomic requests of high orders (root can see it)"
            ));
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
        return Err(no_zone(all, question.node).into());
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

/// Adds the reserved page blocks, which zoneinfo of old kernels does not show.
fn add_reserved(zones: &mut [Zone], reserved: &[Reserved], are_old: bool) {
    for zone in zones.iter_mut().filter(|zone| zone.highatomic_is_unknown()) {
        let of_zone = |one: &&Reserved| one.node == zone.node && one.zone == zone.name;
        if let Some(found) = reserved.iter().find(of_zone) {
            zone.reserved_highatomic = Some(found.pages);
            zone.free_highatomic = Some(found.free);
            zone.highatomic_from_pagetypeinfo = true;
            zone.highatomic_is_old = are_old;
        }
    }
}

/// Adds the boosts, which zoneinfo of old kernels does not show by themselves. The min watermark of
/// a zone is its share of vm.min_free_kbytes, plus the boost.
fn add_boosts(zones: &mut [Zone], min_free_kbytes: u64) {
    let pages = min_free_kbytes * 1024 / rustix::param::page_size() as u64;
    let counts = |zone: &Zone| zone.is_populated() && zone.name != "HighMem";
    let managed: u64 = zones
        .iter()
        .filter(|zone| counts(zone))
        .map(|zone| zone.managed)
        .sum();

    for zone in zones.iter_mut().filter(|zone| counts(zone)) {
        let share = u128::from(pages) * u128::from(zone.managed) / u128::from(managed);
        let boost = zone.min.saturating_sub(share as u64);
        // The kernel computed the share when the zone had a few pages less or more, so ignore
        // differences that are small. A boost is at least a page block.
        if !zone.boost_is_shown && boost >= PAGE_BLOCK / 2 {
            zone.boost = boost;
        }
    }
}

/// Adds the bounds of the lists. Kernels from 6.7 on have bounds, but 6.12 does not show them in
/// zoneinfo. The lower bound of a list is the CPU's share of the low watermark, and the upper bound
/// is its share of an eighth of the zone.
fn add_bounds(zones: &mut [Zone]) {
    for zone in zones {
        let cpus = zone.lists.len().max(1) as u64;
        for list in zone.lists.iter_mut().filter(|list| list.bounds.is_none()) {
            let bound = |pages: u64| (pages / cpus).max(4 * list.batch);
            let least = bound(zone.low.saturating_sub(zone.boost));
            list.bounds = Some((least, bound(zone.managed / 8).max(least)));
        }
    }
}

/// Reads what the rules depend on. A kernel that does not tell is taken for a new one.
pub fn kernel(proc: &Path) -> Kernel {
    let read = |name| fs::read_to_string(proc.join(name)).ok();
    let found = read("sys/kernel/osrelease").and_then(|text| version(&text));
    // Distributions have their own number in the release, and show the kernel's number elsewhere.
    let release = found.and_then(|(major, minor, release)| {
        ["version_signature", "version"]
            .into_iter()
            .filter_map(read)
            .flat_map(|text| {
                text.split_whitespace()
                    .filter_map(version)
                    .collect::<Vec<_>>()
            })
            .filter(|other| (other.0, other.1) == (major, minor))
            .map(|other| other.2)
            .chain([release])
            .max()
    });

    Kernel {
        version: found.map_or((u32::MAX, 0), |(major, minor, _)| (major, minor)),
        release: release.unwrap_or(0),
        boost_factor: read("sys/vm/watermark_boost_factor")
            .and_then(|factor| factor.trim().parse().ok())
            .unwrap_or(BOOST_FACTOR),
    }
}

/// Parses a version such as "6.1.192-3". The third number may be missing.
fn version(text: &str) -> Option<(u32, u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    let release = numbers.next().and_then(|text| text.parse().ok());

    Some((major, minor, release.unwrap_or(0)))
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
    use super::{add_boosts, add_bounds, kernel, look, look_again, Question};
    use crate::{
        headroom::{document::Headroom, model::Gfp},
        memory::zoneinfo::{tests::TEXT, CpuList, Zone},
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
    fn later_looks_remember_what_is_reserved() {
        let folder = proc();
        let zoneinfo: Vec<&str> = TEXT
            .lines()
            .filter(|line| !line.contains("highatomic"))
            .collect();
        fs::write(folder.path().join("zoneinfo"), zoneinfo.join("\n")).unwrap();
        let types = folder.path().join("pagetypeinfo");
        fs::write(
            &types,
            "Page block order: 9\n\
             Pages per block:  512\n\
             Node    0, zone    DMA32, type   HighAtomic      3      2\n\
             Number of blocks type     Unmovable      Movable   HighAtomic\n\
             Node 0, zone      DMA            1            7            0\n\
             Node 0, zone    DMA32           52          960            2\n",
        )
        .unwrap();
        let mut question = Question {
            gfp: Gfp::Nowait,
            ..QUESTION
        };
        let mut reserved = Vec::new();
        let mut ask = |question| {
            let answer = look_again(folder.path(), question, &mut reserved).unwrap();
            assert!(answer.cannot_see.is_empty(), "{:?}", answer.cannot_see);
            assert_eq!(answer.zones[1].arithmetic.highatomic, 1024);
            answer
        };
        let first = ask(question);
        question.types = false;
        fs::remove_file(types).unwrap();
        let second = ask(question);
        assert_eq!(first.requests, second.requests);
        // The reserve may have been released meanwhile.
        assert_eq!(second.at_most, first.at_most + 1024);
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
    fn boosts_are_found_in_the_watermarks() {
        // Two zones of Debian's 5.10.262 with 1 GiB, without and with a boost.
        let zone = |name: &str, managed, min| Zone {
            name: name.to_owned(),
            managed,
            min,
            ..Zone::default()
        };
        let mut zones = [zone("DMA", 3977, 180), zone("DMA32", 246_574, 11_083)];
        let usual = zones.clone();
        add_boosts(&mut zones, 45_056);
        assert_eq!(zones, usual);
        zones[1].min = 12_619;
        add_boosts(&mut zones, 45_056);
        assert_eq!((zones[0].boost, zones[1].boost), (0, 1534));
        zones[1].boost_is_shown = true;
        zones[1].boost = 0;
        add_boosts(&mut zones, 45_056);
        assert_eq!(zones[1].boost, 0);
    }

    #[test]
    fn bounds_that_are_not_shown_are_computed() {
        // A zone of Debian's 6.12.118 with 1 GiB and two CPUs.
        let list = CpuList {
            high: 10_164,
            batch: 63,
            ..CpuList::default()
        };
        let mut zones = [Zone {
            low: 13_858,
            managed: 243_886,
            lists: vec![list; 2],
            ..Zone::default()
        }];
        add_bounds(&mut zones);
        assert_eq!(zones[0].lists[1].bounds, Some((6929, 15_242)));
    }

    #[test]
    fn the_kernel_is_recognized() {
        assert_eq!(kernel(proc().path()).version, (6, 1));
        assert_eq!(kernel(proc().path()).release, 0);
        let folder = proc();
        let debian =
            "Linux version 6.1.0-57-cloud-amd64 (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP \
             PREEMPT_DYNAMIC Debian 6.1.192-3 (2026-11-26)\n";
        fs::write(folder.path().join("version"), debian).unwrap();
        assert_eq!(kernel(folder.path()).release, 192);
        fs::remove_file(folder.path().join("version")).unwrap();
        fs::write(folder.path().join("sys/kernel/osrelease"), "6.1.55\n").unwrap();
        assert_eq!(kernel(folder.path()).release, 55);
        assert_eq!(kernel(proc().path()).boost_factor, 0);
        assert_eq!(kernel(Path::new("/nonexistent")).version.0, u32::MAX);
    }
}
