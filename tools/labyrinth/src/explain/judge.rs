// SPDX-License-Identifier: GPL-2.0

//! The arithmetic of the page allocator: which zone could have served a request, and what it lacked.

use super::{
    gfp::Flags,
    kernel::Rules,
    meminfo::{Memory, Zone, ZONES},
    report::{Kind, Report},
};

/// What a zone had for the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request may not use the zone.
    Barred(&'static str),
    /// Free memory is not above the limit; so many pages are missing.
    TooLow(u64),
    /// There is enough free memory, but no block that is large enough.
    NoBlock,
    /// The zone could serve the request when the report was printed.
    Serves,
    /// Cannot be told, because these fields could not be read.
    Unknown(Vec<&'static str>),
}

/// A zone and the request.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The zone.
    pub zone: &'a Zone,
    /// What it had for the request.
    pub verdict: Verdict,
    /// Free pages that the request may use.
    pub usable: Option<u64>,
    /// Free pages that it may not use, because they are in CMA areas.
    pub cma: u64,
    /// Free pages that it may not use, because they are reserved for urgent requests.
    pub highatomic: u64,
    /// The part of the limit that comes from the watermark.
    pub mark: Option<u64>,
    /// The part of the limit that protects the zone from requests for higher zones.
    pub reserve: Option<u64>,
    /// What the protection would be if the numbers of the log meant other zones.
    pub reserve_other: Option<u64>,
    /// The order of the largest free block that the request may use.
    pub largest: Option<u32>,
    /// Whether there are large enough blocks, but of types that it may not use.
    pub blocks_of_others: Option<String>,
}

impl Judged<'_> {
    /// Returns the number of pages that must stay free.
    pub fn limit(&self) -> Option<u64> {
        Some(self.mark?.saturating_add(self.reserve?))
    }
}

/// A request and what the zones had for it.
#[derive(Clone, Debug)]
pub struct Judgement<'a> {
    /// By zone.
    pub zones: Vec<Judged<'a>>,
    /// The size of a page in KiB.
    pub page_kib: u64,
    /// Whether the log tells the size of a page.
    pub page_known: bool,
    /// The order of the request.
    pub order: u32,
    /// The flags of the request.
    pub flags: Flags,
    /// The highest zone of the request.
    pub class: &'static str,
    /// How the kernel lowers the watermark.
    pub rules: Rules,
    /// Whether another generation of the kernel would matter, while the log does not tell it.
    pub rules_guessed: bool,
    /// Whether the request ignores the watermarks.
    pub no_watermarks: bool,
    /// The function that was freeing memory when the request came.
    pub reclaim: Option<&'static str>,
    /// Zones that the request may use and that exist, while the log has lost them.
    pub lost: Vec<String>,
}

impl<'a> Judgement<'a> {
    /// Returns whether the kernel freed no memory for the request.
    pub fn cannot_wait(&self) -> bool {
        self.flags.cannot_wait() || self.reclaim.is_some()
    }

    /// Returns the zones that the request may use.
    pub fn allowed(&self) -> impl Iterator<Item = &Judged<'a>> {
        self.zones
            .iter()
            .filter(|judged| !matches!(judged.verdict, Verdict::Barred(_)))
    }

    /// Returns the largest zone that the request may use and of which `wanted` is true.
    pub fn main(&self, wanted: impl Fn(&Judged<'a>) -> bool) -> Option<&Judged<'a>> {
        self.allowed()
            .filter(|judged| wanted(judged))
            .max_by_key(|judged| judged.zone.get("managed").or(judged.zone.get("free")))
    }

    /// Returns whether a zone could serve the request when the report was printed.
    pub fn served(&self) -> bool {
        self.allowed()
            .any(|judged| judged.verdict == Verdict::Serves)
    }
}

/// Compares the request with the zones. None if the report lacks the request or the zones.
pub fn judge(report: &Report) -> Option<Judgement<'_>> {
    let flags = report.mode.as_ref()?.flags?;
    let order = match (report.order, &report.kind) {
        (Some(order), _) => order,
        // Pages one by one.
        (None, Kind::Vmalloc { .. }) => 0,
        _ => return None,
    };
    judge_as(report, flags, order)
}

/// Compares another request with the zones.
pub fn judge_as(report: &Report, flags: Flags, order: u32) -> Option<Judgement<'_>> {
    let memory = report.memory.as_ref()?;
    if memory.zones.is_empty() {
        return None;
    }
    let (rules, rules_known) = rules(report, memory);
    let page_kib = memory.page_kib();
    let reclaim = report.trace.reclaim();
    let no_watermarks = (flags.memalloc || reclaim.is_some()) && !flags.nomemalloc;
    let layouts = layouts(memory, report.trace.short);
    let request = Request {
        flags,
        order,
        rules,
        page_kib: page_kib.unwrap_or(4),
        no_watermarks,
        wanted: class(flags),
    };
    let other = Request {
        rules: match rules {
            Rules::Harder => Rules::MinReserve,
            Rules::MinReserve => Rules::Harder,
        },
        ..request
    };
    let zones: Vec<_> = memory
        .zones
        .iter()
        .map(|zone| request.judge(zone, &layouts, report))
        .collect();
    let rules_guessed =
        !rules_known
            && memory.zones.iter().zip(&zones).any(|(zone, judged)| {
                other.judge(zone, &layouts, report).verdict != judged.verdict
            });

    Some(Judgement {
        zones,
        page_kib: request.page_kib,
        page_known: page_kib.is_some(),
        order,
        flags,
        class: request.class(layouts.first()),
        rules,
        rules_guessed,
        no_watermarks,
        reclaim,
        lost: layouts
            .first()
            .map_or(Vec::new(), |layout| request.lost(memory, layout)),
    })
}

/// Returns how the kernel treats urgent requests, and whether that is certain.
fn rules(report: &Report, memory: &Memory) -> (Rules, bool) {
    if let Some(version) = &report.kernel {
        return (version.rules(), true);
    }
    if let Some(mode) = &report.mode {
        let names = mode.names.as_deref().unwrap_or("");
        if names.contains("__GFP_ATOMIC") {
            return (Rules::Harder, true);
        }
        if names.contains("GFP_ATOMIC") {
            // __GFP_ATOMIC was a bit of its own until 6.2. Its place differs.
            return if mode.number & (0x200 | 0x8_0000) == 0 {
                (Rules::MinReserve, true)
            } else {
                (Rules::Harder, true)
            };
        }
    }
    // This counter is there since 6.13.
    if memory
        .zones
        .iter()
        .any(|zone| zone.get("free_highatomic").is_some())
    {
        return (Rules::MinReserve, true);
    }
    (Rules::MinReserve, false)
}

/// Returns the highest zone that the flags allow, as `gfp_zone()` does.
fn class(flags: Flags) -> &'static str {
    if flags.dma {
        "DMA"
    } else if flags.dma32 {
        "DMA32"
    } else if flags.highmem && flags.movable {
        "Movable"
    } else if flags.highmem {
        "HighMem"
    } else {
        "Normal"
    }
}

/// The zones of a kernel's configuration, lowest first.
type Layout = Vec<&'static str>;

/// Returns the sets of zones that the kernel can have been built with, the likeliest first. Each
/// kernel prints as many numbers in `lowmem_reserve[]` as it has zones, but not the empty zones.
/// Kernels since 6.2 also leave out the zones that the request may not use. `short` says that the
/// CPU is known to have 32 bits.
fn layouts(memory: &Memory, short: bool) -> Vec<Layout> {
    let length = memory
        .zones
        .iter()
        .map(|zone| zone.reserve.len())
        .max()
        .unwrap_or(0);
    let seen = |name: &str| memory.zones.iter().any(|zone| zone.name == name);
    let highmem =
        memory.pages[1].is_some_and(|pages| pages > 0) && !seen("Movable") && !seen("DMA32");
    let mut all: Vec<Layout> = Vec::new();

    for bits in 0..16_u32 {
        let with = |bit: u32, name| (bits & (1 << bit) != 0).then_some(name);
        let layout: Layout = [
            with(0, "DMA"),
            with(1, "DMA32"),
            Some("Normal"),
            with(2, "HighMem"),
            Some("Movable"),
            with(3, "Device"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let has = |name: &str| layout.contains(&name);
        let possible = (length == 0 || layout.len() == length)
            && ZONES.iter().all(|zone| !seen(zone) || has(zone))
            // HighMem is for CPUs of 32 bits, and these two for those of 64.
            && !(has("HighMem") && (has("DMA32") || has("Device")))
            && !(short && has("DMA32"))
            && (has("HighMem") || !highmem)
            && memory.zones.iter().all(|zone| fits(zone, &layout));
        if possible {
            all.push(layout);
        }
    }
    // Most kernels of 64 bits have DMA and DMA32. Device is rarer.
    all.sort_by_key(|layout| {
        let has = |name: &str| layout.contains(&name);
        (
            has("Device") && !(has("DMA") && has("DMA32")),
            !(has("DMA") && has("DMA32")),
            !has("DMA"),
        )
    });
    all
}

/// Returns whether the protection of a zone fits to its place: a zone is not protected from requests
/// for itself and for lower zones.
fn fits(zone: &Zone, layout: &Layout) -> bool {
    let Some(place) = layout.iter().position(|name| *name == zone.name) else {
        return false;
    };
    zone.reserve.iter().take(place + 1).all(|&pages| pages == 0)
}

/// A request.
#[derive(Clone, Copy)]
struct Request {
    flags: Flags,
    order: u32,
    rules: Rules,
    page_kib: u64,
    no_watermarks: bool,
    wanted: &'static str,
}

impl Request {
    /// Returns the highest zone of the request in such a kernel.
    fn class(&self, layout: Option<&Layout>) -> &'static str {
        match layout {
            // Without such a zone, the next one that surely suits is Normal.
            Some(layout) if !layout.contains(&self.wanted) => "Normal",
            _ => self.wanted,
        }
    }

    /// Finds zones that the log does not have. The protection of a zone grows with the memory of the
    /// higher zones of its node, so it tells whether these have any.
    fn lost(&self, memory: &Memory, layout: &Layout) -> Vec<String> {
        let class = self.class(Some(layout));
        let mut lost = Vec::new();

        for zone in &memory.zones {
            for (place, pair) in zone.reserve.windows(2).enumerate() {
                // The request may not use higher zones, and newer kernels do not print them.
                if layout.get(place).is_some_and(|name| *name == class) {
                    break;
                }
                let Some(name) = layout.get(place + 1) else {
                    break;
                };
                let there = |other: &Zone| other.node == zone.node && other.name == *name;
                if pair[1] > pair[0] && !memory.zones.iter().any(there) {
                    let title = Zone::named(zone.node, name).title();
                    if !lost.contains(&title) {
                        lost.push(title);
                    }
                }
            }
        }
        lost
    }

    fn pages(&self, kib: u64) -> u64 {
        kib / self.page_kib
    }

    /// Whether the request may use blocks that are reserved for urgent ones.
    fn reserves(&self) -> bool {
        match self.rules {
            Rules::Harder => self.harder(),
            Rules::MinReserve => self.flags.high || self.non_block(),
        }
    }

    fn harder(&self) -> bool {
        self.flags.atomic && !self.flags.nomemalloc
    }

    fn non_block(&self) -> bool {
        self.flags.cannot_wait() && !self.flags.nomemalloc
    }

    fn uses_cma(&self) -> bool {
        self.flags.movable || self.flags.cma
    }

    /// Returns the watermark for this request in pages, from `min` and its boost.
    fn mark(&self, min: u64, boost: u64) -> u64 {
        // The boost does not apply to urgent requests of single pages.
        let mut mark = if self.order == 0 && self.flags.high {
            min.saturating_sub(boost)
        } else {
            min
        };
        if self.flags.high {
            mark -= mark / 2;
        }
        let quarter = match self.rules {
            Rules::Harder => self.harder(),
            Rules::MinReserve => self.flags.high && self.non_block(),
        };
        if quarter {
            mark -= mark / 4;
        }
        if self.no_watermarks {
            mark = 0;
        }
        mark
    }

    /// Returns the letters of the types of blocks that the request may use.
    fn types(&self) -> String {
        // R was the letter of "reserve" before 4.4; D and P are of later kernels of vendors.
        let mut types = "UMER".to_owned();
        if self.uses_cma() {
            types.push('C');
        }
        let highatomic = match self.rules {
            Rules::Harder => self.harder(),
            Rules::MinReserve => self.order > 0 && self.flags.high && self.non_block(),
        };
        if highatomic {
            types.push('H');
        }
        types
    }

    fn judge<'a>(&self, zone: &'a Zone, layouts: &[Layout], report: &Report) -> Judged<'a> {
        let pages = |field: &str| zone.get(field).map(|kib| self.pages(kib));
        let cma = if self.uses_cma() {
            0
        } else {
            pages("free_cma").unwrap_or(0)
        };
        let highatomic = if self.reserves() || self.no_watermarks {
            0
        } else {
            pages("free_highatomic")
                .or_else(|| pages("reserved_highatomic"))
                .unwrap_or(0)
        };
        let zones = report
            .memory
            .as_ref()
            .map_or(&[][..], |memory| &memory.zones);
        // A request of several pages counts all but one of them as gone.
        let rest = 1_u64.checked_shl(self.order).unwrap_or(u64::MAX) - 1;
        let usable = pages("free").map(|free| free.saturating_sub(cma).saturating_sub(highatomic));
        let mark = pages("min").map(|min| self.mark(min, pages("boost").unwrap_or(0)));
        let (reserve, reserve_other) = if self.no_watermarks {
            (Some(0), None)
        } else {
            self.reserve(zone, layouts, zones)
        };
        let (largest, of_others) = self.blocks(zone);
        let mut judged = Judged {
            zone,
            verdict: Verdict::Serves,
            usable,
            cma,
            highatomic,
            mark,
            reserve,
            reserve_other,
            largest,
            blocks_of_others: of_others,
        };
        judged.verdict = self.verdict(&judged, layouts, report, rest);
        judged
    }

    fn verdict(
        &self,
        judged: &Judged<'_>,
        layouts: &[Layout],
        report: &Report,
        rest: u64,
    ) -> Verdict {
        let zone = judged.zone;
        if let Some(why) = self.barred(zone, layouts, report) {
            return Verdict::Barred(why);
        }
        let mut missing: Vec<&'static str> = ["free", "min"]
            .into_iter()
            .filter(|field| zone.get(field).is_none())
            .collect();
        if judged.reserve.is_none() {
            missing.push("lowmem_reserve[]");
        }
        let (Some(usable), Some(limit)) = (judged.usable, judged.limit()) else {
            return Verdict::Unknown(missing);
        };
        let left = usable.saturating_sub(rest);
        let hidden = self.hidden_cma(zone, report);
        if hidden > 0 && left > limit && left.saturating_sub(hidden) <= limit {
            return Verdict::Unknown(vec!["free_cma"]);
        }
        if !self.no_watermarks && (left <= limit || usable < rest) {
            let needed = limit.saturating_add(rest).saturating_add(1);
            return Verdict::TooLow(needed.saturating_sub(usable));
        }
        if self.order == 0 && !self.no_watermarks {
            return Verdict::Serves;
        }
        match judged.largest {
            Some(largest) if largest >= self.order => Verdict::Serves,
            _ if zone.blocks_complete() => Verdict::NoBlock,
            _ => Verdict::Unknown(vec!["free lists"]),
        }
    }

    /// Returns how many free pages of a zone may be in CMA areas without being shown. The field is
    /// the last one of the zone's line, which can be cut off.
    fn hidden_cma(&self, zone: &Zone, report: &Report) -> u64 {
        if self.uses_cma() || self.no_watermarks || zone.get("free_cma").is_some() {
            return 0;
        }
        let memory = report.memory.as_ref();
        let reserved = memory.and_then(|memory| memory.pages[3]);
        let mut typed = zone
            .blocks
            .iter()
            .filter_map(|blocks| blocks.types.as_deref());
        let listed = typed.any(|types| types.contains('C'));
        if let Some(all) = memory.and_then(|memory| memory.counter("free_cma")) {
            return all;
        }
        match reserved {
            Some(0) => 0,
            Some(_) => u64::MAX,
            None if listed => u64::MAX,
            None => 0,
        }
    }

    /// Returns why the request may not use a zone, if so.
    fn barred(&self, zone: &Zone, layouts: &[Layout], report: &Report) -> Option<&'static str> {
        let class = self.class(layouts.first());
        let top = ZONES.iter().position(|name| *name == class).unwrap_or(2);
        if zone.rank() > top {
            return Some("not for this request");
        }
        if zone.get("managed") == Some(0) {
            return Some("has no memory");
        }
        let node = zone.node?;
        if let Some(mask) = report.nodemask.as_deref().and_then(nodes) {
            if !mask.contains(&node) {
                return Some("outside the memory policy");
            }
        }
        if self.flags.hardwall {
            if let Some(mask) = report.mems_allowed.as_deref().and_then(nodes) {
                if !mask.contains(&node) {
                    return Some("outside the cpuset");
                }
            }
        }
        None
    }

    /// Returns the protection of a zone from this request, and another value if it is not certain
    /// which number is meant.
    fn reserve(
        &self,
        zone: &Zone,
        layouts: &[Layout],
        zones: &[Zone],
    ) -> (Option<u64>, Option<u64>) {
        if zone.reserve.is_empty() {
            // The highest zone has no lowmem_reserve for any request.
            let highest = |other: &Zone| other.node != zone.node || other.rank() <= zone.rank();
            let last = !matches!(zone.name.as_str(), "DMA" | "DMA32");
            return ((last && zones.iter().all(highest)).then_some(0), None);
        }
        let mut values = layouts.iter().filter_map(|layout| {
            let class = self.class(Some(layout));
            let place = layout.iter().position(|name| *name == class)?;
            zone.reserve.get(place).copied()
        });
        let first = values.next();
        let other = values.find(|&value| Some(value) != first);
        (first, other)
    }

    /// Returns the order of the largest block that may be used, and the types of larger ones.
    fn blocks(&self, zone: &Zone) -> (Option<u32>, Option<String>) {
        let allowed = self.types();
        let mut largest = None;
        let mut others = String::new();

        for blocks in &zone.blocks {
            if blocks.count == 0 || blocks.kib < self.page_kib {
                continue;
            }
            // Do not use the place in the list, because some entries can be missing.
            let order = (blocks.kib / self.page_kib).ilog2();
            let usable = match &blocks.types {
                Some(types) => types.chars().any(|kind| allowed.contains(kind)),
                None => true,
            };
            if usable {
                largest = Some(order);
            } else if order >= self.order {
                let types = blocks.types.as_deref().unwrap_or("");
                for kind in types.chars() {
                    if !others.contains(kind) {
                        others.push(kind);
                    }
                }
            }
        }
        let others = (largest < Some(self.order) && !others.is_empty()).then_some(others);
        (largest, others)
    }
}

/// Reads a list such as `0-1,3`. None if it is `(null)`, which allows all nodes.
fn nodes(list: &str) -> Option<Vec<u64>> {
    let mut nodes = Vec::new();

    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
        if last < first || last > 4096 {
            return None;
        }
        nodes.extend(first..=last);
        if nodes.len() > 4097 {
            return None;
        }
    }
    Some(nodes)
}

#[cfg(test)]
mod tests {
    use super::{judge, nodes, Verdict};
    use crate::explain::collect::Collector;
    use crate::explain::report::Report;
    use crate::explain::scan::Scanner;

    fn report(text: &str) -> Report {
        let mut collector = Collector::default();
        let mut scanner = Scanner::new(text.as_bytes());
        let mut reports = Vec::new();
        while let Some(line) = scanner.line().unwrap() {
            reports.extend(collector.line(line));
        }
        reports.extend(collector.end());
        reports.remove(0)
    }

    fn log(head: &str, figures: &str) -> String {
        format!(
            "x: page allocation failure: {head}\nMem-Info:\n{figures}\nlowmem_reserve[]: 0 0 0 0\n\
             Normal: 8*4kB (UME) 4*8kB (H) 2*16kB (C) 0*32kB = 96kB\n"
        )
    }

    fn verdict(head: &str, figures: &str) -> (Verdict, u64) {
        let report = report(&log(head, figures));
        let judgement = judge(&report).unwrap();
        let zone = &judgement.zones[0];
        (zone.verdict.clone(), zone.mark.unwrap())
    }

    /// Checks the verdict on each request.
    fn verdicts<const N: usize>(figures: &str, wanted: [(&str, Verdict); N]) {
        for (head, wanted) in wanted {
            assert_eq!(verdict(head, figures).0, wanted, "{head}");
        }
    }

    #[test]
    fn each_generation_has_its_marks() {
        let figures =
            "Normal free:4000kB min:4000kB low:5000kB high:6000kB managed:90000kB free_cma:0kB";
        for (mode, mark) in [
            // min is 1000 pages: /2, and a quarter off.
            ("0xa20(GFP_ATOMIC)", 375),
            ("0x820(GFP_ATOMIC)", 375),
            ("0x80820(GFP_ATOMIC|__GFP_NOMEMALLOC)", 500),
            ("0x800(GFP_NOWAIT)", 1000),
            ("0xcc0(GFP_KERNEL)", 1000),
            ("0xce0(GFP_KERNEL|__GFP_HIGH)", 500),
            ("0x20820(GFP_ATOMIC|__GFP_MEMALLOC)", 0),
        ] {
            assert_eq!(
                verdict(&format!("order:0, mode:{mode}"), figures).1,
                mark,
                "{mode}"
            );
        }
        // __GFP_ATOMIC alone existed until 6.2; a caller that cannot wait counts since 6.3.
        let old = "order:0, mode:0xa00(__GFP_ATOMIC|__GFP_KSWAPD_RECLAIM)";
        assert_eq!(verdict(old, figures).1, 750);
        let versions = [("6.2.1", 500), ("6.3.0", 375)];
        for (version, mark) in versions {
            let text = log(
                "order:0, mode:0x820(__GFP_HIGH|__GFP_KSWAPD_RECLAIM)",
                figures,
            )
            .replace(
                "Mem-Info",
                &format!("CPU: 0 PID: 7 Comm: x Not tainted {version} #1\nMem-Info"),
            );
            let report = report(&text);
            assert_eq!(
                judge(&report).unwrap().zones[0].mark,
                Some(mark),
                "{version}"
            );
        }
    }

    #[test]
    fn boosts_do_not_concern_urgent_single_pages() {
        let figures =
            "Normal free:4000kB boost:2000kB min:4000kB low:5000kB managed:90000kB free_cma:0kB";
        assert_eq!(verdict("order:0, mode:0x820(GFP_ATOMIC)", figures).1, 188);
        assert_eq!(verdict("order:1, mode:0x820(GFP_ATOMIC)", figures).1, 375);
    }

    #[test]
    fn memory_that_may_not_be_used_is_not_counted() {
        let figures = "Normal free:6000kB min:4000kB low:5000kB reserved_highatomic:400kB managed:90000kB free_cma:1700kB";
        // 1500 pages, of which 425 are CMA and 100 reserved.
        verdicts(
            figures,
            [
                ("order:0, mode:0xcc0(GFP_KERNEL)", Verdict::TooLow(26)),
                (
                    "order:0, mode:0x100cca(GFP_HIGHUSER_MOVABLE)",
                    Verdict::Serves,
                ),
                ("order:0, mode:0x820(GFP_ATOMIC)", Verdict::Serves),
            ],
        );
    }

    #[test]
    fn blocks_are_compared_by_type() {
        let figures = "Normal free:60000kB min:4000kB low:5000kB managed:90000kB free_cma:0kB";
        // Order 1 is only of type H, order 2 only of type C.
        verdicts(
            figures,
            [
                ("order:1, mode:0xcc0(GFP_KERNEL)", Verdict::NoBlock),
                ("order:1, mode:0x820(GFP_ATOMIC)", Verdict::Serves),
                ("order:2, mode:0x820(GFP_ATOMIC)", Verdict::NoBlock),
                (
                    "order:2, mode:0x100cca(GFP_HIGHUSER_MOVABLE)",
                    Verdict::Serves,
                ),
            ],
        );
    }

    #[test]
    fn the_limit_itself_is_not_enough() {
        let figures = |free: u64| {
            format!("Normal free:{free}kB min:4000kB low:5000kB managed:90000kB free_cma:0kB")
        };
        assert_eq!(
            verdict("order:0, mode:0x820(GFP_ATOMIC)", &figures(1500)).0,
            Verdict::TooLow(1)
        );
        assert_eq!(
            verdict("order:0, mode:0x820(GFP_ATOMIC)", &figures(1504)).0,
            Verdict::Serves
        );
        assert_eq!(
            verdict("order:2, mode:0xcc0(GFP_KERNEL)", &figures(4012)).0,
            Verdict::TooLow(1)
        );
        assert_eq!(
            verdict("order:30, mode:0xcc0(GFP_KERNEL)", &figures(0)).0,
            Verdict::TooLow(1000 + (1 << 30))
        );
    }

    #[test]
    fn missing_figures_make_no_verdict() {
        assert_eq!(
            verdict(
                "order:0, mode:0xcc0(GFP_KERNEL)",
                "Normal free:6x0kB min:4000kB"
            )
            .0,
            Verdict::Unknown(vec!["free"])
        );
    }

    #[test]
    fn the_protection_is_that_of_the_highest_zone() {
        // A board of 32 bits whose zone Normal is empty.
        let text = "x: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)\nMem-Info:\n\
            DMA free:5192kB min:104kB low:112kB managed:663836kB free_cma:0kB\nlowmem_reserve[]: 0 0 3188 3188\n\
            HighMem free:4000kB min:128kB low:200kB managed:3264512kB free_cma:0kB\nlowmem_reserve[]: 0 0 0 0\n";
        let first = report(text);
        let judgement = judge(&first).unwrap();
        assert_eq!(judgement.zones[0].reserve, Some(0));
        assert!(matches!(judgement.zones[1].verdict, Verdict::Barred(_)));
        let user = report(&text.replace("0xcc0(GFP_KERNEL)", "0x100cca(GFP_HIGHUSER_MOVABLE)"));
        let judgement = judge(&user).unwrap();
        assert_eq!(judgement.zones[0].reserve, Some(3188));
        assert_eq!(
            judgement.zones[0].verdict,
            Verdict::TooLow(26 + 3188 + 1 - 1298)
        );
        assert_eq!(judgement.zones[1].verdict, Verdict::Serves);
    }

    #[test]
    fn zones_that_are_not_printed_are_not_missing() {
        // Kernels since 6.2 leave out the zones above that of the request.
        let text =
            "x: page allocation failure: order:0, mode:0xcc1(GFP_KERNEL|GFP_DMA)\nMem-Info:\n\
            DMA free:5192kB min:5200kB low:5300kB managed:663836kB free_cma:0kB\n\
            lowmem_reserve[]: 0 2900 2900 2900\n";
        let dma = report(text);
        let judgement = judge(&dma).unwrap();
        assert_eq!(judgement.lost, [""; 0]);
        assert_eq!(judgement.zones[0].verdict, Verdict::TooLow(3));
        let any = report(&text.replace("0xcc1(GFP_KERNEL|GFP_DMA)", "0xcc0(GFP_KERNEL)"));
        assert_eq!(judge(&any).unwrap().lost, ["DMA32"]);
    }

    #[test]
    fn the_highest_zone_has_no_protection() {
        let text = "x: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)\nMem-Info:\n\
            DMA32 free:5192kB min:104kB low:112kB managed:663836kB free_cma:0kB\n\
            Normal free:3200kB min:4000kB low:5000kB managed:900000kB free_cma:0kB\n";
        let report = report(text);
        let judgement = judge(&report).unwrap();
        let unknown = Verdict::Unknown(vec!["lowmem_reserve[]"]);
        assert_eq!(judgement.zones[0].verdict, unknown);
        assert_eq!(judgement.zones[1].verdict, Verdict::TooLow(201));
    }

    #[test]
    fn memory_in_areas_can_be_hidden() {
        let figures = "Normal free:6000kB min:4000kB low:5000kB managed:90000kB";
        let counter = |pages: u64| {
            let text = log("order:0, mode:0xcc0(GFP_KERNEL)", figures);
            let text = text.replace(
                "Mem-Info:\n",
                &format!("Mem-Info:\nactive_anon:1 free_cma:{pages}\n"),
            );
            judge(&report(&text)).unwrap().zones[0].verdict.clone()
        };
        assert_eq!(counter(499), Verdict::Serves);
        assert_eq!(counter(500), Verdict::Unknown(vec!["free_cma"]));
    }

    #[test]
    fn lists_of_nodes_are_read() {
        assert_eq!(nodes("0-1,3"), Some(vec![0, 1, 3]));
        assert_eq!(nodes("(null)"), None);
        assert_eq!(nodes("0-99999999"), None);
    }
}
