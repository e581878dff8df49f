// SPDX-License-Identifier: GPL-2.0

//! The memory information of a report ("Mem-Info").
//!
//! It is read word by word rather than line by line: old kernels print some lines in pieces, mail
//! programs wrap lines, and lines of several CPUs mix.

use memchr::{memchr, memmem::Finder};
use std::{collections::BTreeMap, sync::LazyLock};

/// The names of zones, from the lowest to the highest.
pub const ZONES: [&str; 6] = ["DMA", "DMA32", "Normal", "HighMem", "Movable", "Device"];

/// The fields of a zone that are used here.
const FIELDS: [&str; 16] = [
    "free",
    "boost",
    "min",
    "low",
    "high",
    "reserved_highatomic",
    "free_highatomic",
    "present",
    "managed",
    "free_pcp",
    "local_pcp",
    "free_cma",
    "active_file",
    "inactive_file",
    "writepending",
    "zspages",
];

/// The counters of the whole machine that are used here, in pages.
const COUNTERS: [&str; 21] = [
    "active_anon",
    "inactive_anon",
    "isolated_anon",
    "active_file",
    "inactive_file",
    "isolated_file",
    "unevictable",
    "dirty",
    "writeback",
    "unstable",
    "slab_reclaimable",
    "slab_unreclaimable",
    "mapped",
    "shmem",
    "pagetables",
    "sec_pagetables",
    "bounce",
    "kernel_misc_reclaimable",
    "free",
    "free_pcp",
    "free_cma",
];

/// Counters that the kernel prints both for the machine and for each node.
const IN_BOTH: [&str; 6] = [
    "active_anon",
    "inactive_anon",
    "active_file",
    "inactive_file",
    "mapped",
    "shmem",
];

/// How many zones are kept. The largest machines have some hundred.
const MOST_ZONES: usize = 512;

/// What the kernel prints for each node only.
const IN_NODES: [&str; 4] = ["Balloon", "kernel_stack", "gpu_active", "gpu_reclaim"];

/// The first line.
static BEGIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("Mem-Info:"));

/// The possible sizes of a page, in KiB.
const PAGE_SIZES: [u64; 6] = [4, 8, 16, 32, 64, 256];

/// Blocks of one size in the free lists of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    /// How many.
    pub count: u64,
    /// The size of one in KiB.
    pub kib: u64,
    /// The types that have at least one: `U`, `M`, `E`, `H`, `C`, `I`. None if they were not printed.
    pub types: Option<String>,
}

/// A zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// The node, if the kernel prints it.
    pub node: Option<u64>,
    /// The name.
    pub name: String,
    /// The line with its figures.
    pub line: Option<u64>,
    values: [Option<u64>; FIELDS.len()],
    /// The part of the zone that is protected from requests that could use a higher zone, by zone.
    pub reserve: Vec<u64>,
    /// The line of the protection.
    pub reserve_line: Option<u64>,
    /// The free lists, from order 0 on.
    pub blocks: Vec<Blocks>,
    /// The sum that the kernel prints after the free lists.
    pub blocks_total: Option<u64>,
    /// The line of the free lists.
    pub blocks_line: Option<u64>,
    /// Whether the counts of the smallest blocks could not be read.
    gap: bool,
}

impl Zone {
    /// Returns a zone without figures.
    pub fn named(node: Option<u64>, name: &str) -> Self {
        Self {
            node,
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Returns a field in KiB, such as `free` or `min`.
    pub fn get(&self, field: &str) -> Option<u64> {
        self.values[FIELDS.iter().position(|known| *known == field)?]
    }

    /// Returns the rank of the zone among all zones.
    pub fn rank(&self) -> usize {
        rank(&self.name).unwrap_or(0)
    }

    /// Returns the name with the node.
    pub fn title(&self) -> String {
        match self.node {
            Some(node) => format!("Node {node} {}", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns whether the free lists are complete: they add up to the sum after them.
    pub fn blocks_complete(&self) -> bool {
        let sum = self.blocks.iter().try_fold(0_u64, |sum, blocks| {
            sum.checked_add(blocks.count.checked_mul(blocks.kib)?)
        });
        !self.blocks.is_empty() && self.blocks_total.is_some() && sum == self.blocks_total
    }
}

fn rank(name: &str) -> Option<usize> {
    ZONES.iter().position(|zone| *zone == name)
}

/// What the last words were about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Elsewhere,
    Global,
    Node,
    /// The figures of a zone.
    Figures(usize),
    /// Its protection.
    Reserve(usize),
    /// Its free lists.
    Blocks(usize),
    /// The sum of its free lists.
    Total(usize),
}

/// The memory information of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The zones.
    pub zones: Vec<Zone>,
    counters: BTreeMap<&'static str, u64>,
    /// Sums of the counters of the nodes, in KiB.
    nodes: BTreeMap<&'static str, u64>,
    /// Nodes of which the kernel says that nothing can be reclaimed.
    pub unreclaimable: Vec<u64>,
    /// Free and total swap in KiB.
    pub swap: [Option<u64>; 2],
    /// The pages of the machine: all, those of HighMem and Movable, reserved ones, of CMA.
    pub pages: [Option<u64>; 4],
    /// Total, free and size in KiB of huge pages, by node and size.
    pub huge: Vec<[u64; 3]>,
    /// Whether the line "Mem-Info:" was seen.
    pub begun: bool,
    /// Whether one of the last lines was seen.
    pub ended: bool,
    mode: Mode,
    /// The node that the line names.
    node: Option<u64>,
    /// Whether the line before ended with its node, so that the rest is in the next line.
    open: bool,
    /// The node whose figures are being read.
    whole_node: Option<u64>,
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fed {
    /// It is not of this kind.
    No,
    /// It was read. These things of it could not be read.
    Took(Vec<String>),
    /// It describes a zone that is there already.
    Again(String),
}

impl Memory {
    /// Returns a counter of the whole machine in pages.
    pub fn counter(&self, name: &str) -> Option<u64> {
        self.counters.get(name).copied()
    }

    /// Returns the sum of a field over all zones in KiB, if they have it.
    pub fn of_zones(&self, field: &str) -> Option<u64> {
        self.zones
            .iter()
            .filter_map(|zone| zone.get(field))
            .reduce(u64::saturating_add)
    }

    /// Returns the memory of the balloon of a virtual machine in KiB, if the kernel prints it. Kernels
    /// since 6.17 do.
    pub fn balloon(&self) -> Option<u64> {
        self.nodes.get("Balloon").copied()
    }

    /// Returns the memory of graphics drivers in KiB, also that which they keep for later, if the
    /// kernel prints it. Kernels since 7.1 do.
    pub fn graphics(&self) -> Option<u64> {
        let of = |name| self.nodes.get(name).copied();

        Some(of("gpu_active")?.saturating_add(of("gpu_reclaim").unwrap_or(0)))
    }

    /// Returns about how many bytes this takes.
    pub fn size(&self) -> usize {
        let of_zone = |zone: &Zone| {
            size_of::<Zone>()
                + zone.name.len()
                + 8 * zone.reserve.capacity()
                + (size_of::<Blocks>() + 16) * zone.blocks.capacity()
        };
        self.zones.iter().map(of_zone).sum::<usize>()
            + 32 * (COUNTERS.len() + IN_BOTH.len() + IN_NODES.len())
            + 8 * self.unreclaimable.capacity()
            + 24 * self.huge.capacity()
    }

    /// Returns all numbers that were read.
    #[cfg(test)]
    pub fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> = self.counters.values().copied().collect();
        numbers.extend(self.swap.iter().chain(&self.pages).flatten());
        numbers.extend(&self.unreclaimable);
        for zone in &self.zones {
            numbers.extend(zone.node);
            numbers.extend(zone.values.iter().flatten());
            numbers.extend(&zone.reserve);
            numbers.extend(zone.blocks_total);
            for blocks in &zone.blocks {
                numbers.extend([blocks.count, blocks.kib]);
            }
        }
        numbers
    }

    /// Returns whether anything was read.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty() && self.counters.is_empty()
    }

    /// Returns the size of a page in KiB, if it follows from the free lists or the counters.
    pub fn page_kib(&self) -> Option<u64> {
        self.zones
            .iter()
            .filter(|zone| !zone.gap)
            .filter_map(|zone| zone.blocks.first())
            .map(|blocks| blocks.kib)
            .find(|kib| PAGE_SIZES.contains(kib))
            .or_else(|| self.page_kib_of_counters())
    }

    /// Computes the size of a page from the counters of the nodes, which are in KiB, and those of
    /// the machine, which are in pages.
    fn page_kib_of_counters(&self) -> Option<u64> {
        IN_BOTH.iter().find_map(|name| {
            let pages = self.counter(name).filter(|&pages| pages > 0)?;
            let kib = self.nodes.get(name)?;
            PAGE_SIZES
                .into_iter()
                .find(|size| pages.checked_mul(*size) == Some(*kib))
        })
    }

    /// Reads a line. `complete` says that the end of the line is not missing.
    pub fn feed(&mut self, line: u64, text: &str, complete: bool) -> Fed {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Fed::No;
        }
        if BEGIN.find(trimmed.as_bytes()).is_some() {
            // Words before it are of another CPU.
            self.begun = true;
            self.mode = Mode::Elsewhere;
            return Fed::Took(Vec::new());
        }
        if self.summary(trimmed) {
            self.mode = Mode::Elsewhere;
            return Fed::Took(Vec::new());
        }
        if !relevant(trimmed, self.mode) {
            return Fed::No;
        }
        // The words of plain text are found faster.
        if trimmed.is_ascii() {
            self.words(line, trimmed.split_ascii_whitespace(), complete)
        } else {
            self.words(line, trimmed.split_whitespace(), complete)
        }
    }

    /// Reads the lines after the zones.
    fn summary(&mut self, text: &str) -> bool {
        let first = |text: &str| text.split_whitespace().next().and_then(whole);
        for (index, phrase) in [
            " pages RAM",
            " pages HighMem/MovableOnly",
            " pages reserved",
            " pages cma reserved",
        ]
        .iter()
        .enumerate()
        {
            if text.ends_with(phrase) {
                self.pages[index] = self.pages[index].or_else(|| first(text));
                self.ended = true;
                return true;
            }
        }
        if text.ends_with(" pages hwpoisoned") {
            self.ended = true;
            return true;
        }
        for (index, phrase) in ["Free swap", "Total swap"].iter().enumerate() {
            if let Some(rest) = text.strip_prefix(phrase) {
                let value = rest.trim_start_matches([' ', '=']).strip_suffix("kB");
                self.swap[index] = self.swap[index].or(value.and_then(whole));
                return true;
            }
        }
        let huge = memchr(b'=', text.as_bytes())
            .and_then(|_| text.split_once("hugepages_total="))
            .map(|(_, rest)| rest);
        if let Some(rest) = huge {
            let mut values = [0; 3];
            let mut words = rest.split_whitespace();
            values[0] = words.next().and_then(whole).unwrap_or(0);
            for word in words {
                if let Some(free) = word.strip_prefix("hugepages_free=") {
                    values[1] = whole(free).unwrap_or(0);
                }
                if let Some(size) = word.strip_prefix("hugepages_size=") {
                    values[2] = size.strip_suffix("kB").and_then(whole).unwrap_or(0);
                }
            }
            if self.huge.len() < 64 {
                self.huge.push(values);
            }
            return true;
        }
        text.ends_with(" total pagecache pages")
            || text.ends_with(" pages in swap cache")
            || text.starts_with("Swap cache stats:")
    }

    fn words<'a>(
        &mut self,
        line: u64,
        words: impl Iterator<Item = &'a str>,
        complete: bool,
    ) -> Fed {
        let mut problems = Vec::new();
        let mut took = false;
        let mut words = words.peekable();
        if !std::mem::take(&mut self.open) {
            self.node = None;
        }

        while let Some(word) = words.next() {
            // The last word of a line without an end could be cut.
            if words.peek().is_none() && !complete {
                problems.push("the log ends in the middle of this line".to_owned());
                break;
            }
            if word == "Node" {
                self.node = words
                    .next_if(|next| whole(next.trim_end_matches(':')).is_some())
                    .and_then(|number| whole(number.trim_end_matches(':')));
                self.mode = Mode::Elsewhere;
                self.open = words.peek().is_none();
                took = true;
                continue;
            }
            if rank(word).is_some()
                && words
                    .peek()
                    .map_or(self.node.is_some(), |next| next.starts_with("free:"))
            {
                match self.zone(word, |zone| zone.line.is_none()) {
                    Some(index) => {
                        self.zones[index].line = Some(line);
                        self.mode = Mode::Figures(index);
                    }
                    None => return self.again(word, "figures"),
                }
                took = true;
                continue;
            }
            if let Some(name) = word.strip_suffix(':').filter(|name| rank(name).is_some()) {
                match self.zone(name, |zone| zone.blocks_line.is_none()) {
                    Some(index) => {
                        self.zones[index].blocks_line = Some(line);
                        self.mode = Mode::Blocks(index);
                    }
                    None => return self.again(name, "free lists"),
                }
                took = true;
                continue;
            }
            if word.starts_with("lowmem_reserve[]:") || word.starts_with("protections[]:") {
                let index = match self.mode {
                    Mode::Figures(index) | Mode::Reserve(index) => Some(index),
                    _ => None,
                };
                match index {
                    Some(index) if self.zones[index].reserve_line.is_none() => {
                        self.zones[index].reserve_line = Some(line);
                        self.mode = Mode::Reserve(index);
                    }
                    Some(index) => {
                        let name = self.zones[index].title();
                        return Fed::Again(format!("the protection of zone {name}"));
                    }
                    None => {
                        problems.push(
                            "lowmem_reserve[] follows no zone, so its zone is not known".to_owned(),
                        );
                        self.mode = Mode::Elsewhere;
                        return Fed::Took(problems);
                    }
                }
                took = true;
                continue;
            }
            if word == "active_anon:" || word.starts_with("active_anon:") {
                if let Mode::Elsewhere | Mode::Global | Mode::Node = self.mode {
                    let kib = word.ends_with("kB");
                    self.mode = if kib { Mode::Node } else { Mode::Global };
                    self.whole_node = self.node;
                }
            }
            if self.value(line, word, &mut words, &mut problems) {
                took = true;
            }
        }
        if took {
            Fed::Took(problems)
        } else {
            Fed::No
        }
    }

    fn again(&mut self, name: &str, what: &str) -> Fed {
        let node = self
            .node
            .map_or(String::new(), |node| format!("Node {node} "));
        self.mode = Mode::Elsewhere;
        Fed::Again(format!("the {what} of zone {node}{name}"))
    }

    /// Finds the zone, or makes it. None if it is there but not wanted.
    fn zone(&mut self, name: &str, wanted: impl Fn(&Zone) -> bool) -> Option<usize> {
        let node = self.node;
        let index = self
            .zones
            .iter()
            .position(|zone| zone.name == name && zone.node == node);
        match index {
            Some(index) => wanted(&self.zones[index]).then_some(index),
            None if self.zones.len() < MOST_ZONES => {
                self.zones.push(Zone::named(node, name));
                Some(self.zones.len() - 1)
            }
            None => None,
        }
    }

    /// Reads a word that belongs to what is being read.
    fn value<'a>(
        &mut self,
        line: u64,
        word: &str,
        words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
        problems: &mut Vec<String>,
    ) -> bool {
        match self.mode {
            Mode::Elsewhere => false,
            Mode::Global | Mode::Node => {
                if word.starts_with("all_unreclaimable?") {
                    if let (Some(&"yes"), Some(node)) = (words.peek(), self.whole_node) {
                        if self.unreclaimable.len() < MOST_ZONES
                            && !self.unreclaimable.contains(&node)
                        {
                            self.unreclaimable.push(node);
                        }
                    }
                    return true;
                }
                let Some((key, value)) = word.split_once(':') else {
                    return false;
                };
                if self.mode == Mode::Node || value.ends_with("kB") {
                    let mut known = IN_BOTH.iter().chain(&IN_NODES);
                    if let Some(&key) = known.find(|name| **name == key) {
                        let kib = value.strip_suffix("kB").and_then(whole).unwrap_or(0);
                        let sum = self.nodes.entry(key).or_default();
                        *sum = sum.saturating_add(kib);
                    }
                    return key.bytes().all(|byte| !byte.is_ascii_digit());
                }
                let Some(&key) = COUNTERS.iter().find(|counter| **counter == key) else {
                    return false;
                };
                match whole(value) {
                    Some(value) => {
                        self.counters.entry(key).or_insert(value);
                    }
                    None => problems.push(format!("the counter {key} is not a number: {value:?}")),
                }
                true
            }
            Mode::Figures(index) => {
                let Some((key, value)) = word.split_once(':') else {
                    return false;
                };
                let Some(field) = FIELDS.iter().position(|field| *field == key) else {
                    // A field that is not used here.
                    return !key.is_empty() && !key.bytes().any(|byte| byte.is_ascii_digit());
                };
                let number = value
                    .strip_suffix("kB")
                    .or_else(|| value.strip_suffix("KB"))
                    .and_then(whole);
                let zone = &mut self.zones[index];
                match number {
                    Some(number) => {
                        if zone.values[field].is_some_and(|old| old != number) {
                            problems.push(format!(
                                "{key} of zone {} is there twice, and the first one is used",
                                zone.title()
                            ));
                        }
                        zone.values[field].get_or_insert(number);
                    }
                    None => problems.push(format!(
                        "{key} of zone {} is not a number in kB: {value:?}",
                        zone.title()
                    )),
                }
                true
            }
            Mode::Total(index) => {
                self.mode = Mode::Elsewhere;
                self.zones[index].blocks_total = word.strip_suffix("kB").and_then(whole);
                self.zones[index].blocks_total.is_some()
            }
            Mode::Reserve(index) => {
                let zone = &mut self.zones[index];
                match whole(word) {
                    Some(pages) if zone.reserve.len() < ZONES.len() => {
                        zone.reserve.push(pages);
                        true
                    }
                    _ => {
                        problems.push(format!(
                            "the protection of zone {} has something else in it: {word:?}",
                            zone.title()
                        ));
                        self.mode = Mode::Elsewhere;
                        false
                    }
                }
            }
            Mode::Blocks(index) => {
                let zone = &mut self.zones[index];
                if word == "=" {
                    self.mode = Mode::Total(index);
                    return true;
                }
                if let Some(types) = word.strip_prefix('(') {
                    let types = types.trim_end_matches(')');
                    if let Some(last) = zone.blocks.last_mut() {
                        if types.bytes().all(|byte| b"UMREHCIDP".contains(&byte)) {
                            last.types = Some(types.to_owned());
                            return true;
                        }
                    }
                    problems.push(format!("the types {word:?} are not known"));
                    return true;
                }
                // Some issue trackers turn the asterisk into an underscore.
                let blocks = word
                    .strip_suffix("kB")
                    .and_then(|word| word.split_once(['*', '_']))
                    .and_then(|(count, kib)| Some((whole(count)?, whole(kib)?)));
                match blocks {
                    Some((count, kib)) if zone.blocks.len() < 24 => {
                        let _ = line;
                        zone.blocks.push(Blocks {
                            count,
                            kib,
                            types: None,
                        });
                        true
                    }
                    _ => {
                        zone.gap |= zone.blocks.is_empty();
                        problems.push(format!(
                            "the free lists of zone {} have something else in them: {word:?}",
                            zone.title()
                        ));
                        false
                    }
                }
            }
        }
    }
}

/// Returns whether a line could be of memory information.
fn relevant(text: &str, mode: Mode) -> bool {
    let first = text.split_whitespace().next().unwrap_or("");
    if first == "Node" || first.starts_with("lowmem_reserve[]") {
        return true;
    }
    if rank(first.trim_end_matches(':')).is_some() {
        return true;
    }
    if let Some((key, value)) = first.split_once(':') {
        let plain = value.strip_suffix("kB").unwrap_or(value);
        let number = plain
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit());
        let within = matches!(mode, Mode::Figures(_) | Mode::Node | Mode::Global)
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || b"_()".contains(&byte));
        if number && (within || COUNTERS.contains(&key) || FIELDS.contains(&key)) {
            return true;
        }
    }
    // Pieces, of kernels that print each on a line of its own.
    let piece = |word: &str| match mode {
        Mode::Reserve(_) => whole(word).is_some(),
        Mode::Total(_) => word.ends_with("kB"),
        Mode::Blocks(_) => {
            word == "=" || word.starts_with('(') || word.contains('*') || word.ends_with("kB")
        }
        _ => false,
    };
    text.split_whitespace().all(piece)
        // Another CPU printed something before it.
        || text.contains(" free:") && text.contains(" min:") && text.contains("kB")
        || text.contains("lowmem_reserve[]:")
}

/// Returns a number if the word is nothing else.
fn whole(word: &str) -> Option<u64> {
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Fed, Memory};

    fn read(lines: &[&str]) -> (Memory, Vec<String>) {
        let mut memory = Memory::default();
        let mut problems = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            match memory.feed(number as u64 + 1, line, true) {
                Fed::No => problems.push(format!("no: {line}")),
                Fed::Took(more) => problems.extend(more),
                Fed::Again(what) => problems.push(format!("again: {what}")),
            }
        }
        (memory, problems)
    }

    const WHOLE: [&str; 8] = [
        "Mem-Info:",
        "active_anon:3268 inactive_anon:2 isolated_anon:0",
        " free:2086 free_pcp:199 free_cma:234",
        "Node 0 active_anon:13072kB inactive_anon:8kB shmem_thp: 0kB all_unreclaimable? yes",
        "Node 0 Normal free:8344kB min:2444kB low:3052kB high:3660kB present:48572kB managed:45000kB free_cma:0kB",
        "lowmem_reserve[]: 0 0 0",
        "Node 0 Normal: 1*4kB (U) 2*8kB (UE) 0*16kB 1*32kB (C) = 52kB",
        "Total swap = 0kB",
    ];

    #[test]
    fn whole_lines_are_read() {
        let (memory, problems) = read(&WHOLE);
        assert_eq!(problems, [""; 0]);
        let zone = &memory.zones[0];
        assert_eq!(zone.title(), "Node 0 Normal");
        assert_eq!(
            (zone.get("free"), zone.get("managed")),
            (Some(8344), Some(45000))
        );
        assert_eq!(zone.reserve, [0, 0, 0]);
        assert!(zone.blocks_complete());
        assert_eq!(zone.blocks[1].types.as_deref(), Some("UE"));
        assert_eq!(memory.counter("free_pcp"), Some(199));
        assert_eq!(memory.unreclaimable, [0]);
        assert_eq!(memory.swap[1], Some(0));
        assert_eq!(memory.page_kib(), Some(4));
    }

    #[test]
    fn pieces_are_read() {
        let (memory, problems) = read(&[
            "Mem-Info:",
            "Node 0 ",
            "Normal free:24148kB min:65640kB low:129584kB high:193528kB",
            "active_anon:6576248kB managed:63949432kB",
            "lowmem_reserve[]:",
            " 0",
            " 62446",
            "Node 0 ",
            "DMA: ",
            "0*4kB ",
            "1*8kB ",
            "(U) ",
            "= ",
            "8kB",
        ]);
        assert_eq!(problems, [""; 0]);
        assert_eq!(memory.zones[0].reserve, [0, 62446]);
        assert_eq!(memory.zones[0].get("managed"), Some(63949432));
        assert!(memory.zones[1].blocks_complete());
    }

    #[test]
    fn machines_without_nodes_are_read() {
        let (memory, problems) = read(&[
            "DMA free:519112kB boost:7216kB min:10428kB",
            "lowmem_reserve[]: 0 0 3188 3188",
            "DMA: 1*4kB (UEC) = 4kB",
        ]);
        assert_eq!(problems, [""; 0]);
        assert_eq!(memory.zones[0].node, None);
        assert_eq!(memory.zones[0].get("boost"), Some(7216));
    }

    #[test]
    fn counters_tell_the_size_of_a_page() {
        let lines = |kib: u64| {
            let node = |pages: u64| {
                let size = pages * kib;
                format!("Node {pages} active_anon:{size}kB inactive_anon:7kB shmem_thp: 0kB")
            };
            [
                "active_anon:33 inactive_anon:2 isolated_anon:0".to_owned(),
                node(1),
                node(32),
            ]
        };
        for kib in [4, 16, 64] {
            let (memory, problems) = read(&lines(kib).each_ref().map(String::as_str));
            assert_eq!(problems, [""; 0]);
            assert_eq!(memory.page_kib(), Some(kib));
        }
        let (memory, _) = read(&lines(5).each_ref().map(String::as_str));
        assert_eq!(memory.page_kib(), None);
    }

    #[test]
    fn left_out_lists_do_not_tell_the_size_of_a_page() {
        let (memory, problems) = read(&["Normal: ... 7*256kB ... 0*512kB = 1792kB"]);
        assert_eq!((memory.page_kib(), problems.len()), (None, 2));
    }

    #[test]
    fn wrapped_lines_are_read() {
        let (memory, problems) = read(&[
            "Normal free:4228kB min:3636kB low:4544kB",
            "kernel_stack:1104kB pagetables:0kB managed:845324kB",
            "local_pcp:388kB free_cma:0kB",
            "lowmem_reserve[]: 0 0 8980 0",
            "Normal: 25*4kB (UM) 27*8kB (UME) 2*64kB",
            "(UME) 1*2048kB (M) 0*4096kB",
            "= 2492kB",
        ]);
        assert_eq!(problems, [""; 0]);
        assert_eq!(memory.zones[0].get("managed"), Some(845_324));
        assert_eq!(memory.zones[0].get("local_pcp"), Some(388));
        assert!(memory.zones[0].blocks_complete());
    }

    #[test]
    fn damage_is_told() {
        let (memory, problems) = read(&[
            "Node 0 Normal free:83x4kB min:24",
            "lowmem_reserve[]: 0 z 0",
            "Node 0 Normal: 1*4kB (U) 2*8kB (U) = 99kB",
        ]);
        assert_eq!(memory.zones[0].get("free"), None);
        assert_eq!(memory.zones[0].get("min"), None);
        assert!(!memory.zones[0].blocks_complete());
        assert_eq!(problems.len(), 3);
        let (_, problems) = read(&[WHOLE[4], WHOLE[4]]);
        assert_eq!(problems, ["again: the figures of zone Node 0 Normal"]);
    }

    #[test]
    fn the_end_of_a_log_can_be_a_part_of_a_number() {
        let mut memory = Memory::default();
        let fed = memory.feed(1, "active_anon:3268 inactive_anon:2", false);
        assert!(matches!(fed, Fed::Took(problems) if problems.len() == 1));
        assert_eq!(memory.counter("active_anon"), Some(3268));
        assert_eq!(memory.counter("inactive_anon"), None);
    }
}
