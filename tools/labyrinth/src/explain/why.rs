// SPDX-License-Identifier: GPL-2.0

//! Why a request failed, in words. The first sentence is the reason.

use super::{
    advice::{no_addresses, no_mapping, NOT_MAPPED},
    gfp::Flags,
    judge::{judge_as, Judged, Judgement, Verdict},
    kernel::Rules,
    meminfo::Memory,
    report::{Kind, Report},
    why_oom,
    words::{about, grouped, kib, list, request},
};

/// The explanation of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The reason in one sentence.
    pub reason: String,
    /// More sentences, one thought each.
    pub more: Vec<String>,
    /// What would have served the request.
    pub served_by: Vec<String>,
}

/// Explains a report.
pub fn why(report: &Report, judgement: Option<&Judgement<'_>>) -> Why {
    let mut why = match &report.kind {
        Kind::Page => page(report, judgement),
        Kind::Stall { ms } => stall(report, judgement, *ms),
        Kind::Vmalloc { what, bytes } => vmalloc(report, judgement, what, *bytes),
        Kind::Vmemmap => vmemmap(report, judgement),
        Kind::Slab => slab(report),
        Kind::Cma { area, pages, error } => cma(report, area.as_deref(), *pages, *error),
        Kind::Oom => why_oom::why(report, judgement),
        Kind::MemInfo => Why {
            reason:
                "The log does not say which request failed: the first lines of this report are \
                     missing, or somebody asked for a list of the memory (SysRq-m)."
                    .to_owned(),
            more: below_min(report),
            ..Why::default()
        },
    };
    if let Some(line) = report.killed {
        let reason = format!(
            "The process was being killed, so the kernel let its request fail: the OOM killer had \
             chosen it (line {}).",
            grouped(line)
        );
        let other = std::mem::replace(&mut why.reason, reason);
        why.more.insert(0, other);
        why.served_by.clear();
    }
    if let Some(judgement) = judgement {
        doubts(report, judgement, &mut why);
    }
    why
}

/// Names the zones whose free memory is below the watermark min.
fn below_min(report: &Report) -> Vec<String> {
    let Some(memory) = &report.memory else {
        return Vec::new();
    };
    let zones: Vec<String> = memory
        .zones
        .iter()
        .filter_map(|zone| Some((zone, zone.get("free")?, zone.get("min")?)))
        .filter(|(_, free, min)| free < min)
        .map(|(zone, free, min)| format!("zone {} ({} of {})", zone.title(), kib(free), kib(min)))
        .collect();
    if zones.is_empty() {
        Vec::new()
    } else {
        vec![format!(
            "Less than the watermark min was free in {}.",
            list(&zones)
        )]
    }
}

/// A failure of the page allocator.
fn page(report: &Report, judgement: Option<&Judgement<'_>>) -> Why {
    let mut why = shortage(report, judgement);

    if let Some(judgement) = judgement {
        why.more.push(asked(report, judgement));
        why.served_by = served_by(report, judgement);
    }
    why
}

/// Describes the caller and the request, if the zones are known.
fn asked(report: &Report, judgement: &Judgement<'_>) -> String {
    who(report, judgement.flags, judgement.order, judgement.page_kib)
}

/// Says what the zones lacked.
fn shortage(report: &Report, judgement: Option<&Judgement<'_>>) -> Why {
    let Some(judgement) = judgement else {
        return no_figures(report);
    };
    let mut why = Why::default();
    let serves = judgement.main(|judged| judged.verdict == Verdict::Serves);
    let no_block = judgement.main(|judged| judged.verdict == Verdict::NoBlock);
    let low = judgement.main(|judged| matches!(judged.verdict, Verdict::TooLow(_)));
    let unknown = judgement.main(|judged| matches!(judged.verdict, Verdict::Unknown(_)));

    if let Some(zone) = serves {
        why.reason = format!(
            "The shortage was over before the kernel printed the figures: by these, zone {} could \
             serve the request.",
            zone.zone.title()
        );
        why.more.extend(over(report, judgement, zone));
    } else if !judgement.lost.is_empty() {
        why.reason = format!(
            "The log does not show why the request failed: the figures of {} are missing.",
            zones_named(&judgement.lost)
        );
    } else if let Some(zone) = unknown.filter(|zone| hides(judgement, zone)) {
        why.reason = format!(
            "The log does not show why the request failed: {}, which is by far the largest one that it \
             may use.",
            not_read(zone)
        );
    } else if let Some(zone) = no_block {
        fragmented(judgement, zone, &mut why);
    } else if let Some(zone) = low {
        too_low(report, judgement, zone, &mut why);
    } else if let Some(zone) = unknown {
        why.reason = format!(
            "The log does not show why the request failed: {}.",
            not_read(zone)
        );
    } else {
        why.reason = nowhere(judgement);
    }
    if serves.is_none() && (no_block.is_some() || low.is_some()) {
        if let Some(zone) = unknown.filter(|zone| !hides(judgement, zone)) {
            why.more.push(format!(
                "That is not the whole picture: {}.",
                not_read(zone)
            ));
        }
    }
    why
}

/// Returns whether an unreadable zone is so large that the other zones hardly matter.
fn hides(judgement: &Judgement<'_>, zone: &Judged<'_>) -> bool {
    let size = |judged: &Judged<'_>| judged.zone.get("managed").unwrap_or(0);
    let others = judgement
        .allowed()
        .filter(|judged| !std::ptr::eq(judged.zone, zone.zone))
        .map(size)
        .fold(0_u64, u64::saturating_add);

    size(zone) / 8 > others && others > 0
}

/// Says what of a zone could not be read.
fn not_read(zone: &Judged<'_>) -> String {
    let fields: Vec<String> = match &zone.verdict {
        Verdict::Unknown(fields) => fields.iter().map(|field| (*field).to_owned()).collect(),
        _ => Vec::new(),
    };
    format!(
        "{} of zone {} could not be read",
        list(&fields),
        zone.zone.title()
    )
}

/// Returns "zone A" or "zones A and B".
fn zones_named(zones: &[String]) -> String {
    format!(
        "zone{} {}",
        if zones.len() == 1 { "" } else { "s" },
        list(zones)
    )
}

/// No zone may be used at all.
fn nowhere(judgement: &Judgement<'_>) -> String {
    if matches!(judgement.class, "DMA" | "DMA32") {
        format!(
            "No memory could be used: the request needs zone {}{}, where this machine has none.",
            judgement.class,
            if judgement.class == "DMA32" {
                " or a lower one"
            } else {
                ""
            }
        )
    } else {
        "No memory could be used: the report lists no zone that this request may use.".to_owned()
    }
}

/// The figures of the memory are missing.
fn no_figures(report: &Report) -> Why {
    let what = match (&report.mode, report.memory.is_some()) {
        (Some(mode), true) if mode.flags.is_none() => "the flags of the request are not readable",
        (None, true) => "the flags of the request are missing",
        (_, true)
            if report
                .memory
                .as_ref()
                .is_some_and(|memory| memory.zones.is_empty()) =>
        {
            "the figures of the zones are missing"
        }
        (_, true) => "the order of the request is missing",
        (_, false) => "the figures of the memory (\"Mem-Info\") are missing",
    };
    let flags = report.mode.as_ref().and_then(|mode| mode.flags);
    let page = report
        .memory
        .as_ref()
        .and_then(Memory::page_kib)
        .unwrap_or(4);
    Why {
        reason: format!("The log does not show why the request failed: {what}."),
        more: flags
            .zip(report.order)
            .map(|(flags, order)| who(report, flags, order, page))
            .into_iter()
            .collect(),
        ..Why::default()
    }
}

/// Free memory was too low everywhere.
fn too_low(report: &Report, judgement: &Judgement<'_>, zone: &Judged<'_>, why: &mut Why) {
    let (Some(usable), Some(limit)) = (zone.usable, zone.limit()) else {
        return;
    };
    let page = judgement.page_kib;
    let subject = if zone.cma + zone.highatomic > 0 {
        "free that this request may use"
    } else {
        "free"
    };
    let size = about((1_u64 << judgement.order.min(40)).saturating_mul(page));
    // The limit alone is no reason if more than that was free.
    let request = if usable > limit {
        format!("a request for {size}")
    } else {
        "such a request".to_owned()
    };
    why.reason = format!(
        "Free memory was too low: zone {} had {} {subject}, and {request} must leave {} free.",
        zone.zone.title(),
        kib(usable.saturating_mul(page)),
        kib(limit.saturating_mul(page)),
    );
    let others = judgement
        .allowed()
        .filter(|judged| matches!(judged.verdict, Verdict::TooLow(_)))
        .count()
        - 1;
    match others {
        0 => {}
        1 => why
            .more
            .push("Another zone that it may use was too low as well.".to_owned()),
        _ => why.more.push(format!(
            "The other {others} zones that it may use were too low as well."
        )),
    }
    why.more.extend(limit_words(judgement, zone));
    why.more.extend(not_counted(judgement, zone));
    if !judgement.flags.cannot_wait() {
        if let Some(memory) = &report.memory {
            why.more.extend(why_oom::holders(memory, page));
        }
    }
}

/// There was memory, but not in one piece.
fn fragmented(judgement: &Judgement<'_>, zone: &Judged<'_>, why: &mut Why) {
    let page = judgement.page_kib;
    let size = about((1_u64 << judgement.order.min(40)).saturating_mul(page));
    let free = zone.zone.get("free").unwrap_or(0);
    let title = zone.zone.title();
    let longest = u32::try_from(zone.zone.blocks.len()).unwrap_or(0);

    if judgement.order >= longest {
        why.reason = format!(
            "The request was too large for this kernel: it wanted {size} in a row (order {}), and \
             the largest block is of order {}.",
            judgement.order,
            longest.saturating_sub(1)
        );
        return;
    }
    if judgement.order == 0 {
        why.reason = format!(
            "Memory was used up to the last page that this request may use: zone {title} had {} \
             free, none of it of a type that suits.",
            kib(free)
        );
        return;
    }
    why.reason = match &zone.blocks_of_others {
        Some(types) => format!(
            "Memory was fragmented: zone {title} had {} free, but its free blocks of {size} \
             (order {}) or more are {}.",
            kib(free),
            judgement.order,
            owners(types),
        ),
        None => format!(
            "Memory was fragmented: zone {title} had {} free, but no free block of {size} \
             (order {}) or more.",
            kib(free),
            judgement.order
        ),
    };
    why.more.push(match zone.largest {
        Some(largest) => format!(
            "The largest free block there that suits is of {} (order {largest}).",
            about((1_u64 << largest.min(40)).saturating_mul(page))
        ),
        None => "There was no free block at all that suits.".to_owned(),
    });
    if judgement
        .allowed()
        .any(|judged| matches!(judged.verdict, Verdict::TooLow(_)))
    {
        why.more
            .push("In the zones with \"short by\", free memory was too low, too.".to_owned());
    }
    if judgement.flags.cannot_wait() {
        why.more.push(
            "A request that may not wait cannot have memory compacted for it, so it depends on the \
             blocks that happen to be free."
                .to_owned(),
        );
    }
}

/// Says to whom blocks of these types belong.
fn owners(types: &str) -> String {
    let owners: Vec<String> = types
        .chars()
        .map(|kind| match kind {
            'C' => "in CMA areas (C), which only movable memory may use".to_owned(),
            'H' => "reserved for urgent requests (H)".to_owned(),
            'I' => "isolated (I), such as while memory is being removed".to_owned(),
            other => format!("of type {other}"),
        })
        .collect();
    list(&owners)
}

/// Says how the limit of the request comes about.
fn limit_words(judgement: &Judgement<'_>, zone: &Judged<'_>) -> Vec<String> {
    let page = judgement.page_kib;
    let mut out = Vec::new();
    let (Some(min), Some(mark), Some(reserve)) = (zone.zone.get("min"), zone.mark, zone.reserve)
    else {
        return out;
    };
    let boost = zone.zone.get("boost").unwrap_or(0);
    let share = share(judgement);
    let mark_kib = mark.saturating_mul(page);
    let whole = judgement.order == 0 && judgement.flags.high && boost > 0;
    let base = if whole {
        min.saturating_sub(boost)
    } else {
        min
    };
    let of = if whole {
        format!("{} (min without its boost of {})", kib(base), kib(boost))
    } else {
        format!("the watermark min ({})", kib(base))
    };
    out.push(match share {
        Some(share) => format!(
            "An urgent request may take memory down to {share} of {of}, which is {}.",
            kib(mark_kib)
        ),
        None => format!("Such a request may take memory down to {of}."),
    });
    if !whole && boost > 0 {
        out.push(format!(
            "That watermark is raised by {} for a while, because memory was getting fragmented.",
            kib(boost)
        ));
    }
    if reserve > 0 {
        out.push(format!(
            "On top of that, {} of the zone are kept for requests that can use no higher zone \
             (lowmem_reserve).",
            kib(reserve.saturating_mul(page))
        ));
    }
    out
}

/// Returns the share of the watermark that such a request must leave, unless it is all of it.
fn share(judgement: &Judgement<'_>) -> Option<&'static str> {
    let flags = judgement.flags;
    let (half, quarter) = match judgement.rules {
        Rules::Harder => (flags.high, flags.atomic && !flags.nomemalloc),
        Rules::MinReserve => (
            flags.high,
            flags.high && flags.cannot_wait() && !flags.nomemalloc,
        ),
    };
    match (half, quarter) {
        (true, true) => Some("3/8"),
        (true, false) => Some("1/2"),
        (false, true) => Some("3/4"),
        (false, false) => None,
    }
}

/// Says which free memory does not count for the request.
fn not_counted(judgement: &Judgement<'_>, zone: &Judged<'_>) -> Vec<String> {
    let page = judgement.page_kib;
    let mut out = Vec::new();

    if zone.cma > 0 {
        out.push(format!(
            "Another {} of that zone are free in CMA areas, which only movable memory may use.",
            kib(zone.cma.saturating_mul(page))
        ));
    }
    if zone.highatomic > 0 {
        out.push(format!(
            "Another {} are reserved for urgent requests of several pages.",
            kib(zone.highatomic.saturating_mul(page))
        ));
    }
    let lists = zone.zone.get("free_pcp").unwrap_or(0);
    if lists > 0
        && matches!(zone.verdict, Verdict::TooLow(short) if lists >= short.saturating_mul(page))
    {
        let own = zone.zone.get("local_pcp");
        out.push(format!(
            "{} more lay in the lists of the CPUs{}, where other CPUs cannot get at them.",
            kib(lists),
            own.map_or(String::new(), |own| format!(
                " ({} in those of this CPU)",
                kib(own)
            ))
        ));
    }
    out
}

/// Says what it means that the shortage was over.
fn over(report: &Report, judgement: &Judgement<'_>, zone: &Judged<'_>) -> Vec<String> {
    let flags = judgement.flags;
    let mut out = Vec::new();
    let page = judgement.page_kib;

    if let (Some(usable), Some(limit)) = (zone.usable, zone.limit()) {
        if judgement.order == 0 {
            out.push(format!(
                "That zone had {} that the request may use, and must keep {}.",
                kib(usable.saturating_mul(page)),
                kib(limit.saturating_mul(page))
            ));
        } else if let Some(largest) = zone.largest {
            out.push(format!(
                "Its largest free block that suits is of order {largest}, and order {} was wanted.",
                judgement.order
            ));
        }
    }
    let main = judgement.main(|_| true);
    if let Some((main, Verdict::TooLow(short))) = main.map(|main| (main, &main.verdict)) {
        out.push(format!(
            "The largest zone of the request, {}, still lacked {}.",
            main.zone.title(),
            kib(short.saturating_mul(page))
        ));
    }
    if flags.thisnode {
        out.push(
            "The request wanted memory of one node only (__GFP_THISNODE), and the log does not name \
             it, so that the zones of other nodes may not count."
                .to_owned(),
        );
    } else if judgement.cannot_wait() {
        out.push(
            "Memory came back between the failure and the report, so the figures do not show how low \
             it was."
                .to_owned(),
        );
    } else {
        out.push(
            "A request that may wait also fails if its process is being killed, and it gives up early \
             with __GFP_NORETRY."
                .to_owned(),
        );
    }
    if report
        .oom
        .constraint
        .as_deref()
        .is_some_and(|constraint| constraint != "CONSTRAINT_NONE")
    {
        out.push("Its nodes were restricted.".to_owned());
    }
    out
}

/// Says who asked for what.
fn who(report: &Report, flags: Flags, order: u32, page: u64) -> String {
    let name = report
        .comm
        .as_deref()
        .unwrap_or("A process whose name is missing");
    let mode = report
        .mode
        .as_ref()
        .map_or(String::new(), |mode| mode.text());
    let from = match (report.trace.caller(), report.trace.helper()) {
        (Some(caller), Some(helper)) => format!(", in {caller} through {helper}()"),
        (Some(caller), None) => format!(", in {caller}"),
        (None, _) => String::new(),
    };
    let context = if report.trace.interrupt {
        " from an interrupt"
    } else {
        ""
    };
    format!(
        "{name} asked for {} with {mode}{context}{from}; {}.",
        request(order, page),
        match report.trace.reclaim() {
            Some(function) if !flags.cannot_wait() => format!(
                "it came while memory was being freed ({function}()), and nothing is freed for such a \
                 request"
            ),
            _ => patience(flags, order).to_owned(),
        }
    )
}

/// Says what the kernel did for the request.
fn patience(flags: Flags, order: u32) -> &'static str {
    if flags.cannot_wait() {
        "it could not wait, so nothing was freed for it"
    } else if flags.noretry {
        "it could wait, but asked to give up early (__GFP_NORETRY)"
    } else if order > 3 {
        "it could wait, but for more than order 3 the kernel gives up soon"
    } else if flags.retry_mayfail {
        "it could wait, and the kernel tried hard, but without killing processes for it"
    } else {
        "it could wait, and what the kernel freed for it was not enough"
    }
}

/// Finds out which other requests would have been served.
fn served_by(report: &Report, judgement: &Judgement<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let page = judgement.page_kib;
    let flags = judgement.flags;

    if judgement.served() || !judgement.lost.is_empty() {
        return out;
    }
    let fragmented = judgement.main(|judged| judged.verdict == Verdict::NoBlock);
    if let Some(zone) = fragmented.filter(|_| judgement.order > 0) {
        out.push(format!(
            "One free block of {} in zone {}.",
            about((1_u64 << judgement.order.min(40)).saturating_mul(page)),
            zone.zone.title()
        ));
    }
    let least = judgement
        .allowed()
        .filter(|_| fragmented.is_none())
        .filter_map(|judged| match judged.verdict {
            Verdict::TooLow(short) => Some((short, judged)),
            _ => None,
        })
        .min_by_key(|(short, _)| *short);
    if let Some((short, zone)) = least {
        out.push(format!(
            "{} more free memory in zone {}{}.",
            kib(short.saturating_mul(page)),
            zone.zone.title(),
            if judgement.order > 0 {
                ", in blocks that are large enough"
            } else {
                ""
            }
        ));
    }
    let lower = (0..judgement.order)
        .rev()
        .find(|&order| judge_as(report, flags, order).is_some_and(|judgement| judgement.served()));
    if let Some(order) = lower {
        out.push(format!("The same request for {}.", request(order, page)));
    }
    if flags.cannot_wait() {
        let urgent = super::gfp::Flags {
            high: true,
            atomic: true,
            ..flags
        };
        if !flags.high
            && judge_as(report, urgent, judgement.order).is_some_and(|judgement| judgement.served())
        {
            out.push(
                "The same request with GFP_ATOMIC, which may use a part of the reserve.".to_owned(),
            );
        }
        if let Some(cache) = cache(judgement) {
            out.push(format!(
                "A request that may wait (GFP_KERNEL): its zones hold {} of page cache that is not \
                 dirty, which the kernel can free.",
                about(cache)
            ));
        }
    }
    if matches!(judgement.class, "DMA" | "DMA32") {
        let anywhere = super::gfp::Flags {
            dma: false,
            dma32: false,
            ..flags
        };
        if judge_as(report, anywhere, judgement.order).is_some_and(|judgement| judgement.served()) {
            out.push(format!(
                "The same request without GFP_{}, if the device can reach all memory.",
                judgement.class
            ));
        }
    }
    out
}

/// Returns the size of the page cache in the zones of the request in KiB, if it matters.
fn cache(judgement: &Judgement<'_>) -> Option<u64> {
    let mut kib = 0_u64;
    for judged in judgement.allowed() {
        for field in ["active_file", "inactive_file"] {
            kib = kib.saturating_add(judged.zone.get(field)?);
        }
        let dirty = judged.zone.get("writepending").unwrap_or(0);
        kib = kib.saturating_sub(dirty);
    }
    (kib >= 1024).then_some(kib)
}

/// Adds what is not certain about the answer.
fn doubts(report: &Report, judgement: &Judgement<'_>, why: &mut Why) {
    if judgement.rules_guessed {
        why.more.push(
            "The log does not name the kernel; this is reckoned by the rules of Linux 6.3 and later, \
             and by those of older kernels the result differs."
                .to_owned(),
        );
    }
    if let Some(zone) = judgement
        .allowed()
        .find(|judged| judged.reserve_other.is_some())
    {
        why.more.push(format!(
            "It is not certain which number of lowmem_reserve[] counts for zone {}: {} or {}.",
            zone.zone.title(),
            grouped(zone.reserve.unwrap_or(0)),
            grouped(zone.reserve_other.unwrap_or(0)),
        ));
    }
    if !judgement.page_known {
        why.more
            .push("The log does not tell the size of a page; 4 KiB is assumed.".to_owned());
    }
    if judgement.no_watermarks {
        let reason = match judgement.reclaim {
            Some(_) if !judgement.flags.memalloc => "because it serves to free memory",
            _ => "__GFP_MEMALLOC",
        };
        why.more.push(format!(
            "The request ignores the watermarks ({reason}), so that it fails only when nothing is left."
        ));
    }
    let kswapd = report
        .comm
        .as_deref()
        .is_some_and(|comm| comm.starts_with("kswapd"));
    if kswapd && !judgement.flags.nomemalloc && !judgement.no_watermarks {
        why.more.push(
            "kswapd itself may go below the watermarks unless it is in a hard interrupt, so that \
             almost nothing was left."
                .to_owned(),
        );
    }
}

/// A request that took long.
fn stall(report: &Report, judgement: Option<&Judgement<'_>>, ms: u64) -> Why {
    let mut why = shortage(report, judgement);
    let first = std::mem::replace(
        &mut why.reason,
        format!(
            "The request did not fail, but took {} ms when the kernel printed this, because memory \
             had to be freed for it first.",
            grouped(ms)
        ),
    );
    why.more.insert(0, first);
    why
}

/// A failure of vmalloc.
fn vmalloc(
    report: &Report,
    judgement: Option<&Judgement<'_>>,
    what: &str,
    bytes: Option<u64>,
) -> Why {
    let size = bytes.map_or(String::new(), |bytes| {
        format!(" of {}", about(bytes / 1024))
    });
    if what.contains("exceeds total pages") {
        return Why {
            reason: format!(
                "vmalloc refused a request{size}, because it is larger than all memory."
            ),
            more: vec![
                "A size like this mostly comes from a wrong or hostile number in the caller."
                    .to_owned(),
            ],
            ..Why::default()
        };
    }
    if no_addresses(what, judgement) {
        let certainty = if what.starts_with("vmalloc: allocation failure: ") {
            "most likely "
        } else {
            ""
        };
        return Why {
            reason: format!(
                "vmalloc {certainty}had no free range of addresses for a request{size}; memory itself \
                 was not the reason."
            ),
            ..Why::default()
        };
    }
    if no_mapping(what, judgement) {
        return Why {
            reason: format!(
                "vmalloc got the pages for a request{size}, but could not map them; memory itself was \
                 not the reason."
            ),
            more: vec![
                "The kernel prints a warning before this report if a page or an address is in use \
                 already."
                    .to_owned(),
            ],
            ..Why::default()
        };
    }
    let mut why = shortage(report, judgement);
    let count = bytes.map(|bytes| bytes.div_ceil(4096)).filter(|_| {
        judgement.is_some_and(|judgement| judgement.page_known && judgement.page_kib == 4)
    });
    let first = match report.order {
        _ if what.contains(NOT_MAPPED) => {
            format!("vmalloc got the pages for a request{size}, but no page tables to map them.")
        }
        Some(order) if order > 0 => format!(
            "vmalloc wanted memory{size} in blocks of order {order}, and the page allocator refused \
             one of them. vmalloc then tries single pages, so that this alone does no harm."
        ),
        _ => format!(
            "vmalloc wanted memory{size}{}, page by page, and the page allocator refused one of \
             them.",
            count.map_or(String::new(), |count| format!(" ({} pages)", grouped(count)))
        ),
    };
    why.more.insert(0, first);
    if let Some(judgement) = judgement {
        why.more.push(asked(report, judgement));
        why.served_by = served_by(report, judgement);
    }
    why
}

/// A failure while memory was being added.
fn vmemmap(report: &Report, judgement: Option<&Judgement<'_>>) -> Why {
    let mut why = page(report, judgement);
    why.more.insert(
        0,
        "The kernel wanted the memory for the page structures of memory that was being added; it \
         goes on with smaller pages."
            .to_owned(),
    );
    why
}

/// A slab cache.
fn slab(report: &Report) -> Why {
    let slab = &report.slab;
    let cache = slab
        .cache
        .as_deref()
        .map_or("A slab cache whose name is missing".to_owned(), |name| {
            format!("The slab cache {name}")
        });
    let order = slab
        .min_order
        .map_or(String::new(), |order| format!(" (order {order})"));
    let mut why = Why {
        reason: format!(
            "{cache} had no free object, and the page allocator gave it no new slab{order}."
        ),
        ..Why::default()
    };
    if let Some(node) = slab.node.filter(|&node| node >= 0) {
        why.more.push(format!("The slab had to be on node {node}."));
    }
    let objects: u64 = slab
        .nodes
        .iter()
        .map(|node| node[2])
        .fold(0, u64::saturating_add);
    let slabs: u64 = slab
        .nodes
        .iter()
        .map(|node| node[1])
        .fold(0, u64::saturating_add);
    if let (Some(object), true) = (slab.object, objects > 0) {
        why.more.push(format!(
            "It has {} slabs with {} objects of {} B.",
            grouped(slabs),
            grouped(objects),
            grouped(object)
        ));
    }
    let free: u64 = slab
        .nodes
        .iter()
        .map(|node| node[3])
        .fold(0, u64::saturating_add);
    if free > 0 {
        why.more.push(format!(
            "{} objects were free when the report was printed, on other nodes or in the meantime.",
            grouped(free)
        ));
    }
    why.more.push(match report.related {
        Some(line) => format!(
            "Line {} begins the page allocator's report of about that time, with the zones.",
            grouped(line)
        ),
        None => {
            "The log has no report of the page allocator from about that time, so the zones are \
                 not known."
                .to_owned()
        }
    });
    why
}

/// A CMA area.
fn cma(report: &Report, area: Option<&str>, pages: u64, error: i64) -> Why {
    let area = area.map_or("The CMA area".to_owned(), |area| {
        format!("The CMA area {area}")
    });
    let page = report.memory.as_ref().and_then(Memory::page_kib);
    let size = page.map_or(String::new(), |page| {
        format!(" ({})", about(pages.saturating_mul(page)))
    });
    let what = match error {
        -12 => "no free range of that length was left in it",
        -16 => "pages of the range could not be moved away (EBUSY)",
        -4 => "the caller was interrupted by a signal (EINTR)",
        _ => "the log does not say which error it was",
    };
    let mut why = Why {
        reason: format!(
            "{area} could not give {} pages in a row{size}: {what}.",
            grouped(pages)
        ),
        ..Why::default()
    };
    if error == -12 {
        why.more.push(
            "The area is too small for its users, or what they hold has split it into short ranges."
                .to_owned(),
        );
    }
    if error == -16 {
        why.more.push(
            "Somebody holds on to pages in the area, such as by pinning them for DMA or by writing \
             them back."
                .to_owned(),
        );
    }
    if let Some(free) = report
        .memory
        .as_ref()
        .and_then(|memory| memory.counter("free_cma"))
    {
        why.more.push(format!(
            "{} pages were free in all CMA areas together.",
            grouped(free)
        ));
    }
    why
}
