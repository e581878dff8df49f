// SPDX-License-Identifier: GPL-2.0

//! `/proc/zoneinfo`: free pages and watermarks of each zone. Numbers are pages.

use crate::exit::Problem;
use std::{fs, path::Path};

/// A zone of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// The node.
    pub node: u32,
    /// The name, such as "DMA32".
    pub name: String,
    /// The place among the zones of the node, lowest first. The zones that requests may use are
    /// those up to a place, and `protection` is for such places.
    pub place: usize,
    /// All free pages, those in per-CPU lists not included.
    pub free: u64,
    /// The boost that `min`, `low` and `high` contain while a zone recovers from fragmentation.
    pub boost: u64,
    /// Whether the kernel shows the boost; 5.10 does not.
    pub boost_is_shown: bool,
    /// The min watermark.
    pub min: u64,
    /// The low watermark, below which kswapd is woken up.
    pub low: u64,
    /// The high watermark, up to which kswapd reclaims.
    pub high: u64,
    /// The pages that the page allocator manages. None in a zone that is not populated.
    pub managed: u64,
    /// For each place: the pages that are kept from requests for zones up to that place.
    pub protection: Vec<u64>,
    /// Free pages in CMA areas.
    pub free_cma: u64,
    /// Free pages that a confidential guest has not accepted from its host yet. They are in `free`.
    pub unaccepted: u64,
    /// Pages that are reserved for atomic requests of high orders. `free_highatomic` is newer.
    pub reserved_highatomic: Option<u64>,
    /// Free pages among these.
    pub free_highatomic: Option<u64>,
    /// Whether `reserved_highatomic` and `free_highatomic` come from pagetypeinfo. The former can
    /// then be too small.
    pub highatomic_from_pagetypeinfo: bool,
    /// Whether they come from an earlier look, so that the reserve can be smaller or larger now.
    pub highatomic_is_old: bool,
    /// The list of each CPU.
    pub lists: Vec<CpuList>,
}

/// The pages that a CPU has taken out of a zone ahead of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuList {
    /// The CPU.
    pub cpu: u32,
    /// Pages of all orders and migrate types.
    pub count: u64,
    /// The number of pages above which pages go back to the zone.
    pub high: u64,
    /// How many pages a refill takes at first.
    pub batch: u64,
    /// The bounds of `high`, which kernels from 6.7 on tune between these.
    pub bounds: Option<(u64, u64)>,
    /// How many pages the CPU may have taken or freed before `free` shows it.
    pub threshold: u64,
}

impl Zone {
    /// Returns whether the zone has memory.
    pub fn is_populated(&self) -> bool {
        self.managed != 0
    }

    /// Returns whether the reserve for atomic requests of high orders is unknown.
    pub fn highatomic_is_unknown(&self) -> bool {
        self.is_populated() && self.free_highatomic.is_none() && self.reserved_highatomic.is_none()
    }

    /// Returns the highest zones' place that a request without zone flags (`GFP_ATOMIC`,
    /// `GFP_KERNEL`) may use: that of Normal.
    pub fn place_of_normal(zones: &[Zone]) -> Option<usize> {
        zones
            .iter()
            .find(|zone| zone.name == "Normal")
            .map(|zone| zone.place)
    }
}

/// Reads `zoneinfo` in this folder, which is `/proc` except in tests.
pub fn read(proc: &Path) -> anyhow::Result<Vec<Zone>> {
    let path = proc.join("zoneinfo");
    let text = fs::read_to_string(&path).map_err(|error| {
        Problem::cannot_run(
            format!("cannot read {}: {error}", path.display()),
            "mount /proc, or run outside of a container that hides it",
        )
    })?;
    let zones = parse(&text);

    if zones.iter().any(Zone::is_populated) {
        return Ok(zones);
    }
    Err(Problem::cannot_run(
        format!("{} lists no zone with memory", path.display()),
        "use a kernel from 4.14 on",
    )
    .into())
}

/// Parses the text of `zoneinfo`. Lines that are not known are skipped, as each kernel has others.
pub fn parse(text: &str) -> Vec<Zone> {
    let mut zones: Vec<Zone> = Vec::new();

    for line in text.lines() {
        if let Some(head) = line.strip_prefix("Node ") {
            if let Some(zone) = heading(head, &zones) {
                zones.push(zone);
            }
        } else if let Some(zone) = zones.last_mut() {
            field(zone, line);
        }
    }
    zones
}

/// Parses "0, zone    DMA32".
fn heading(text: &str, before: &[Zone]) -> Option<Zone> {
    let (node, name) = text.split_once(", zone")?;
    let node = node.trim().parse().ok()?;

    Some(Zone {
        node,
        name: name.trim().to_owned(),
        place: before.iter().filter(|zone| zone.node == node).count(),
        ..Zone::default()
    })
}

fn field(zone: &mut Zone, line: &str) {
    let line = line.trim().trim_start_matches("pages ").trim_start();

    if let Some(list) = line.strip_prefix("protection: (") {
        let numbers = list.trim_end_matches(')').split(',');
        zone.protection = numbers
            .filter_map(|number| number.trim().parse().ok())
            .collect();
        return;
    }
    let Some((name, value)) = line.rsplit_once(char::is_whitespace) else {
        return;
    };
    let (name, Ok(value)) = (name.trim_end().trim_end_matches(':'), value.parse::<u64>()) else {
        return;
    };
    // The lists come last, and have a "high" of their own.
    if let Some(list) = zone.lists.last_mut() {
        match name {
            "count" => list.count = value,
            "high" => list.high = value,
            "batch" => list.batch = value,
            "high_min" => list.bounds = Some((value, value)),
            "high_max" => list.bounds = list.bounds.map(|(min, _)| (min, value.max(min))),
            "vm stats threshold" => list.threshold = value,
            _ => {}
        }
    }
    match name {
        "cpu" => zone.lists.push(CpuList {
            cpu: u32::try_from(value).unwrap_or(u32::MAX),
            ..CpuList::default()
        }),
        "reserved_highatomic" => zone.reserved_highatomic = Some(value),
        "free_highatomic" => zone.free_highatomic = Some(value),
        _ if !zone.lists.is_empty() => {}
        "free" => zone.free = value,
        "boost" => (zone.boost, zone.boost_is_shown) = (value, true),
        "min" => zone.min = value,
        "low" => zone.low = value,
        "high" => zone.high = value,
        "managed" => zone.managed = value,
        "nr_free_cma" => zone.free_cma = value,
        "nr_unaccepted" => zone.unaccepted = value,
        _ => {}
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{parse, read, CpuList, Zone};

    /// A machine with one node and 1 GiB of memory, shortened.
    pub(crate) const TEXT: &str = "\
Node 0, zone      DMA
  per-node stats
      nr_inactive_anon 2
      nr_active_anon 2341
  pages free     2816
        boost    0
        min      112
        low      140
        high     168
        promo    196
        spanned  4095
        present  3998
        managed  3840
        cma      0
        protection: (0, 955, 955, 955)
      nr_free_pages 2816
      nr_free_cma  0
  pagesets
    cpu: 0
              count:    0
              high:     28
              batch:    1
              high_min: 28
              high_max: 480
  vm stats threshold: 4
  node_unreclaimable:  0
  start_pfn:           1
  reserved_highatomic: 0
  free_highatomic:     0
Node 0, zone    DMA32
  pages free     101320
        boost    64
        min      7168
        low      8960
        high     10752
        managed  244000
        cma      4096
        protection: (0, 0, 0, 0)
      nr_free_pages 101320
      nr_free_cma  1024
      nr_unaccepted 0
  pagesets
    cpu: 0
              count:    190
              high:     1793
              batch:    63
    cpu: 1
              count:    17
              high:     1793
              batch:    63
  start_pfn:           4096
  reserved_highatomic: 2048
  free_highatomic:     512
Node 0, zone   Normal
  pages free     0
        boost    0
        min      0
        low      0
        high     0
        spanned  0
        present  0
        managed  0
        cma      0
        protection: (0, 0, 0, 0)
";

    #[test]
    fn zones_are_read() {
        let zones = parse(TEXT);
        assert_eq!(zones.len(), 3);
        let zone = &zones[1];
        assert_eq!((zone.node, zone.name.as_str(), zone.place), (0, "DMA32", 1));
        assert_eq!((zone.free, zone.boost, zone.min), (101320, 64, 7168));
        assert_eq!((zone.low, zone.high, zone.managed), (8960, 10752, 244000));
        assert_eq!(zone.free_cma, 1024);
        assert_eq!(zone.free_highatomic, Some(512));
        let second = CpuList {
            cpu: 1,
            count: 17,
            high: 1793,
            batch: 63,
            ..CpuList::default()
        };
        assert_eq!(zone.lists[1], second);
        let only = CpuList {
            high: 28,
            batch: 1,
            bounds: Some((28, 480)),
            threshold: 4,
            ..CpuList::default()
        };
        assert_eq!(zones[0].lists, [only]);
        assert_eq!(zones[0].protection, [0, 955, 955, 955]);
        assert!(!zones[2].is_populated());
        assert_eq!(Zone::place_of_normal(&zones), Some(2));
    }

    #[test]
    fn no_zone_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_err());
        std::fs::write(folder.path().join("zoneinfo"), "nothing\n").unwrap();
        assert!(read(folder.path())
            .unwrap_err()
            .to_string()
            .contains("no zone"));
    }
}
