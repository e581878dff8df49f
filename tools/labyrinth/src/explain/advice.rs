// SPDX-License-Identifier: GPL-2.0

//! Which setting helps against a failure, with its number and the reasoning.

use super::{
    judge::{Judged, Judgement, Verdict},
    meminfo::Memory,
    report::{Kind, Report},
    why_oom::{stat, sum_up},
    words::{about, grouped, kib},
};

/// Something to set or to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The name of the setting, such as `vm.min_free_kbytes`.
    pub setting: &'static str,
    /// Its value, if there is one to propose.
    pub value: Option<u64>,
    /// The advice, with its reason.
    pub text: String,
}

/// Proposes what helps.
pub fn advise(report: &Report, judgement: Option<&Judgement<'_>>) -> Vec<Advice> {
    let mut out = Vec::new();

    if let Some(line) = report.killed {
        return vec![Advice {
            setting: "oom",
            value: None,
            text: format!(
                "See the OOM killer's report at line {}; this one is only its consequence.",
                grouped(line)
            ),
        }];
    }
    match &report.kind {
        Kind::MemInfo => {}
        Kind::Oom if report.is_memcg() => group(report, &mut out),
        Kind::Oom => oom(report, judgement, &mut out),
        Kind::Cma { error, .. } => cma_area(*error, &mut out),
        Kind::Slab => slab(report, &mut out),
        Kind::Vmalloc { what, .. } if what.contains("exceeds total pages") => out.push(plain(
            "caller",
            "Look at the size that the caller computes; no setting helps.",
        )),
        Kind::Vmalloc { what, .. } if no_addresses(what, judgement) => {
            out.push(plain(
                "vmalloc=",
                "Boot with a larger vmalloc= (a machine of 32 bits), or unload drivers that hold large \
                 ranges; /proc/vmallocinfo lists them.",
            ));
        }
        Kind::Vmalloc { what, .. } if no_mapping(what, judgement) => out.push(plain(
            "caller",
            "Look for a mistake in the caller or in vmalloc; no setting helps.",
        )),
        Kind::Page | Kind::Stall { .. } | Kind::Vmalloc { .. } | Kind::Vmemmap => match judgement {
            Some(judgement) => page(report, judgement, &mut out),
            None => without_figures(report, &mut out),
        },
    }
    out
}

fn plain(setting: &'static str, text: &str) -> Advice {
    Advice {
        setting,
        value: None,
        text: text.to_owned(),
    }
}

/// The words of vmalloc if it has pages, but cannot map them.
pub const NOT_MAPPED: &str = "failed to map pages";

/// Returns whether vmalloc could not map its pages, though there was memory for page tables.
pub fn no_mapping(what: &str, judgement: Option<&Judgement<'_>>) -> bool {
    what.contains(NOT_MAPPED) && judgement.is_some_and(Judgement::served)
}

/// Returns whether vmalloc lacked addresses rather than memory. Kernels until 5.12 do not say which.
pub fn no_addresses(what: &str, judgement: Option<&Judgement<'_>>) -> bool {
    let unclear = what.starts_with("vmalloc: allocation failure: ");

    ["vmap allocation", "vm_struct", "use vmalloc="]
        .iter()
        .any(|part| what.contains(part))
        || unclear && judgement.is_none_or(Judgement::served)
}

/// For a failure of the page allocator.
fn page(report: &Report, judgement: &Judgement<'_>, out: &mut Vec<Advice>) {
    let fragmented = judgement.main(|judged| judged.verdict == Verdict::NoBlock);
    let low = judgement.main(|judged| matches!(judged.verdict, Verdict::TooLow(_)));
    let main = judgement.main(|_| true);

    if main.is_none() && matches!(judgement.class, "DMA" | "DMA32") {
        out.push(plain(
            "kdump",
            "In a crash kernel (kdump), this is usual and harmless; kernels since 5.17 do not print it.",
        ));
    }
    if matches!(judgement.class, "DMA" | "DMA32") && has_higher(judgement) {
        out.push(plain(
            "GFP_DMA",
            "Leave out GFP_DMA or GFP_DMA32 where the device can reach all memory: set the driver's \
             DMA mask and use the DMA API, which needs neither.",
        ));
    }
    let Some(main) = main else {
        return;
    };
    if judgement.order > 0 {
        large(report, judgement.order, fragmented.or(low), out);
    }
    let urgent = judgement.flags.cannot_wait();
    if judgement.no_watermarks {
        out.push(plain(
            "vm.min_free_kbytes",
            "Double vm.min_free_kbytes: what frees memory needs some itself, most of all if it swaps \
             over a network, and this is what the kernel keeps for it.",
        ));
    } else if judgement.reclaim.is_some() && !urgent {
        out.push(plain(
            "vm.watermark_scale_factor",
            "Mostly, nothing: the kernel goes on and frees other memory. A larger \
             vm.watermark_scale_factor makes kswapd begin earlier, so that more is free meanwhile.",
        ));
    } else if urgent {
        watermarks(judgement, main, out);
        out.push(reserve(judgement.order));
    } else if fragmented.is_none() {
        out.push(plain(
            "memory",
            "Free memory or add some: the caller could wait, and waiting was of no use. The OOM \
             killer's reports in the same log, swap and the largest processes say where memory went.",
        ));
    }
    if report.trace.is_network() && judgement.order == 0 && urgent {
        out.push(plain(
            "ethtool -G",
            "If a network driver fills its receive ring in bursts, a smaller ring (ethtool -G DEV rx \
             N) makes the bursts smaller; a larger one gives more time to recover, but takes more at \
             once.",
        ));
    }
    if let Some(zone) = low.filter(|_| judgement.lost.is_empty()) {
        boost(judgement, zone, out);
        protection(judgement, zone, out);
        cma(judgement, zone, out);
    }
}

/// Returns whether there is memory above the zones of the request. The kernel does not print those
/// zones, but protects lower ones from requests that could use them.
fn has_higher(judgement: &Judgement<'_>) -> bool {
    let own = |judged: &&Judged<'_>| judged.zone.name == judgement.class;

    judgement
        .zones
        .iter()
        .find(own)
        .is_none_or(|judged| judged.zone.reserve.iter().any(|&pages| pages > 0))
        || judgement
            .zones
            .iter()
            .any(|judged| matches!(judged.verdict, Verdict::Barred(_)))
}

/// Advice for a failure if the log has only the request.
fn without_figures(report: &Report, out: &mut Vec<Advice>) {
    let Some(flags) = report.mode.as_ref().and_then(|mode| mode.flags) else {
        return;
    };
    let order = report.order.unwrap_or(0);
    if order > 0 {
        large(report, order, None, out);
    }
    if flags.cannot_wait() {
        out.push(plain(
            "vm.min_free_kbytes",
            "Double vm.min_free_kbytes (sysctl vm.min_free_kbytes says what it is now): the kernel \
             then keeps more memory for urgent requests. The log lacks the zones that would tell how \
             much is needed; labyrinth headroom --bursts measures it.",
        ));
        out.push(reserve(order));
    }
}

/// For a request of several pages.
fn large(report: &Report, order: u32, zone: Option<&Judged<'_>>, out: &mut Vec<Advice>) {
    let free = zone
        .and_then(|zone| zone.zone.get("free"))
        .map_or(String::new(), |free| {
            format!(" ({} were free in smaller pieces)", about(free))
        });
    let how = if report.trace.is_network() {
        "an MTU up to 1500, or fragments of one page each (scatter-gather, page pool)"
    } else {
        "kvmalloc(), a scatter-gather list or a smaller buffer"
    };
    out.push(Advice {
        setting: "order 0",
        value: None,
        text: format!("Ask for single pages{free}: {how}. It is the only remedy that lasts."),
    });
    if order >= 4 {
        out.push(plain(
            "early",
            "Allocate the buffer once, when the driver is loaded, and keep it; memory is least \
             fragmented after boot. For DMA, dma_alloc_coherent() with a CMA area can move others away.",
        ));
    }
    out.push(plain(
        "vm.compact_memory",
        "For now: sysctl vm.compact_memory=1 makes large blocks again. vm.compaction_proactiveness \
         (5.9 and later) above its default of 20 keeps more of them.",
    ));
}

/// Returns whether the machine has zones that the report does not show. The highest zone of a node
/// has no lowmem_reserve. If the highest zone in the report has one, there are higher zones.
fn zones_are_left_out(judgement: &Judgement<'_>) -> bool {
    judgement.zones.iter().any(|judged| {
        let zone = judged.zone;
        let is_highest = judgement
            .zones
            .iter()
            .all(|other| other.zone.node != zone.node || other.zone.rank() <= zone.rank());

        is_highest && zone.reserve.iter().any(|&pages| pages > 0)
    })
}

/// The watermarks: how much memory the kernel keeps free for urgent requests.
fn watermarks(judgement: &Judgement<'_>, zone: &Judged<'_>, out: &mut Vec<Advice>) {
    let page = judgement.page_kib;
    let unknown = || {
        plain(
            "vm.min_free_kbytes",
            "Double vm.min_free_kbytes. The log is too damaged to say what it is now (sysctl \
             vm.min_free_kbytes).",
        )
    };
    if !judgement.lost.is_empty() {
        out.push(unknown());
        return;
    }
    if zones_are_left_out(judgement) {
        out.push(plain(
            "vm.min_free_kbytes",
            "Double vm.min_free_kbytes (sysctl vm.min_free_kbytes says what it is now): the kernel \
             then keeps more memory free. The report shows only the zones that the request may \
             use, so the setting cannot be computed from it.",
        ));
        return;
    }
    let lowmem = || {
        judgement
            .zones
            .iter()
            .filter(|judged| !matches!(judged.zone.name.as_str(), "HighMem" | "Movable" | "Device"))
    };
    let mut min = 0_u64;
    let mut managed = 0_u64;
    for judged in lowmem() {
        let (Some(zone_min), Some(zone_managed)) =
            (judged.zone.get("min"), judged.zone.get("managed"))
        else {
            out.push(unknown());
            return;
        };
        let boost = judged.zone.get("boost").unwrap_or(0);
        min = min.saturating_add(zone_min.saturating_sub(boost));
        managed = managed.saturating_add(zone_managed);
    }
    let (Some(low), Some(mark)) = (zone.zone.get("low"), zone.mark) else {
        return;
    };
    if min == 0 || managed == 0 {
        return;
    }
    let room = low.saturating_sub(mark.saturating_mul(page));
    let wanted = min.saturating_mul(2).div_ceil(1024).saturating_mul(1024);
    let most = managed / 20;
    let value = wanted.min(most).max(min);
    if zone.verdict == Verdict::NoBlock {
        if value > min {
            out.push(Advice {
                setting: "vm.min_free_kbytes",
                value: Some(value),
                text: format!(
                    "sysctl vm.min_free_kbytes={value} (the zones in the report add up to {}) keeps \
                     more memory free, where large blocks are likelier; it guarantees none.",
                    grouped(min)
                ),
            });
        }
        return;
    }
    if value > min {
        out.push(Advice {
            setting: "vm.min_free_kbytes",
            value: Some(value),
            text: format!(
                "sysctl vm.min_free_kbytes={value} (the zones in the report add up to {}). kswapd \
                 frees memory from the watermark low on ({} in zone {}), and the burst used up all {} \
                 from there to the request's limit. Twice the value makes room for about twice the \
                 burst, and costs {} of memory.{}",
                grouped(min),
                kib(low),
                zone.zone.title(),
                kib(room),
                about(value - min),
                if wanted > most { " It is bounded here by 5 % of the memory." } else { "" }
            ),
        });
    } else {
        out.push(Advice {
            setting: "vm.min_free_kbytes",
            value: None,
            text: format!(
                "vm.min_free_kbytes is high already (the zones in the report add up to {}, more than \
                 5 % of the memory); raise it no further.",
                grouped(min)
            ),
        });
    }
    if let (Some(zone_min), Some(zone_managed)) = (zone.zone.get("min"), zone.zone.get("managed")) {
        let gap = low.saturating_sub(zone_min);
        if gap > 0 && zone_managed > 0 {
            let factor = u128::from(gap) * 2 * 10_000 / u128::from(zone_managed) + 1;
            let factor = u64::try_from(factor).unwrap_or(1000).clamp(10, 1000);
            let distance = u64::try_from(u128::from(zone_managed) * u128::from(factor) / 10_000)
                .unwrap_or(u64::MAX);
            if distance > gap {
                out.push(Advice {
                    setting: "vm.watermark_scale_factor",
                    value: Some(factor),
                    text: format!(
                        "Or sysctl vm.watermark_scale_factor={factor}: kswapd then begins {} above \
                         min in that zone instead of {}, and the limit itself stays.",
                        kib(distance),
                        kib(gap)
                    ),
                });
            }
        }
    }
}

/// A reserve of one's own.
fn reserve(order: u32) -> Advice {
    let what = if order == 0 {
        "pages".to_owned()
    } else {
        format!("blocks of order {order}")
    };
    Advice {
        setting: "reserve",
        value: None,
        text: format!(
            "If the caller must not fail: a reserve of {what} of its own, filled when it may wait (a \
             pool of labyrinth, or a mempool). No watermark guarantees that."
        ),
    }
}

/// Advice on a boosted watermark.
fn boost(judgement: &Judgement<'_>, zone: &Judged<'_>, out: &mut Vec<Advice>) {
    let Verdict::TooLow(short) = zone.verdict else {
        return;
    };
    let boost = zone.zone.get("boost").unwrap_or(0) / judgement.page_kib;
    // Urgent requests must leave 3/8 of the watermark.
    let share = if judgement.flags.high {
        boost / 8 * 3
    } else {
        boost
    };
    if share >= short {
        out.push(Advice {
            setting: "vm.watermark_boost_factor",
            value: Some(0),
            text: format!(
                "sysctl vm.watermark_boost_factor=0: without the boost of {} that the watermarks have \
                 after fragmentation, zone {} had enough free memory. Large blocks then become \
                 rarer.",
                kib(boost.saturating_mul(judgement.page_kib)),
                zone.zone.title()
            ),
        });
    }
}

/// The protection of low zones.
fn protection(judgement: &Judgement<'_>, zone: &Judged<'_>, out: &mut Vec<Advice>) {
    let (Some(usable), Some(mark), Some(reserve)) = (zone.usable, zone.mark, zone.reserve) else {
        return;
    };
    // A small zone is of no use to a request that may use larger ones.
    let size = |judged: &Judged<'_>| judged.zone.get("managed").unwrap_or(0);
    let small = judgement
        .main(|_| true)
        .is_some_and(|main| size(zone).saturating_mul(8) < size(main));
    if reserve > 0 && usable > mark && !small {
        out.push(Advice {
            setting: "vm.lowmem_reserve_ratio",
            value: None,
            text: format!(
                "Zone {} has memory, but {} of it are kept by vm.lowmem_reserve_ratio. A larger number \
                 for that zone keeps less, which requests for just that zone will miss.",
                zone.zone.title(),
                kib(reserve.saturating_mul(judgement.page_kib))
            ),
        });
    }
}

/// CMA areas that hold free memory.
fn cma(judgement: &Judgement<'_>, zone: &Judged<'_>, out: &mut Vec<Advice>) {
    let Verdict::TooLow(short) = zone.verdict else {
        return;
    };
    if zone.cma > short {
        out.push(Advice {
            setting: "cma=",
            value: None,
            text: format!(
                "A smaller CMA area (cma= at boot, linux,cma in the device tree): {} of it are free, \
                 and the request lacked {}.",
                about(zone.cma.saturating_mul(judgement.page_kib)),
                kib(short.saturating_mul(judgement.page_kib))
            ),
        });
    }
}

/// For a CMA area.
fn cma_area(error: i64, out: &mut Vec<Advice>) {
    if error == -16 {
        out.push(plain(
            "caller",
            "Try again later: the pages are in use for a while only. Long-term pins in the area are a \
             fault of whoever pins them (FOLL_LONGTERM moves pages out first).",
        ));
    } else {
        out.push(plain(
            "cma=",
            "Make the area larger (cma= at boot, linux,cma in the device tree, CONFIG_CMA_SIZE_MBYTES), \
             or let the driver take its buffers once, at its start.",
        ));
    }
}

/// For a slab cache.
fn slab(report: &Report, out: &mut Vec<Advice>) {
    if report.slab.min_order.is_some_and(|order| order > 0) {
        out.push(plain(
            "slab_debug=O",
            "Its slabs take several pages in a row. If debugging made them that large, boot with \
             slab_debug=O; otherwise memory is fragmented (sysctl vm.compact_memory=1).",
        ));
    }
    out.push(plain(
        "vm.min_free_kbytes",
        "The zones decide: see the page allocator's report, or labyrinth headroom on the running \
         machine. For urgent requests (GFP_ATOMIC), a larger vm.min_free_kbytes helps.",
    ));
}

/// For a group at its limit.
fn group(report: &Report, out: &mut Vec<Advice>) {
    let oom = &report.oom;
    let second = oom.swap.is_some();
    let (setting, swap) = if second {
        ("memory.max", "memory.swap.max")
    } else {
        ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
    };
    let limit = oom.memory.map(|[_, limit, _]| limit).unwrap_or(0);
    let shared = stat(report, &["shmem"]).unwrap_or(0);
    let sock = stat(report, &["sock"]).unwrap_or(0);

    out.push(plain(
        setting,
        &format!(
            "Raise {setting} of the group, or make the program use less. Settings of the whole machine, \
             such as vm.min_free_kbytes, do not help."
        ),
    ));
    if limit > 0 && shared > limit / 2 {
        out.push(plain(
            "tmpfs",
            "Empty or bound the group's tmpfs (size=); its files count as memory.",
        ));
    }
    if limit > 0 && sock > limit / 4 {
        out.push(plain(
            "net.ipv4.tcp_rmem",
            "Bound the buffers of sockets; they take much of the limit.",
        ));
    }
    if oom.swap.is_none_or(|[_, limit, _]| limit == 0) {
        out.push(plain(
            swap,
            &format!("Let it swap ({swap}), if slow is better than killed."),
        ));
    }
    if second {
        out.push(plain(
            "memory.high",
            "Set memory.high somewhat below: the group is slowed down and reclaimed before it is \
             killed.",
        ));
    }
}

/// Returns the name of what holds most of the memory that matters.
fn largest_holder(memory: &Memory, page: u64) -> Option<&'static str> {
    if memory.zones.iter().any(|zone| zone.name == "HighMem") {
        // Memory of processes can be in HighMem, but slab caches cannot.
        let slabs = memory.counter("slab_unreclaimable").unwrap_or(0);
        let low = memory
            .zones
            .iter()
            .filter(|zone| zone.name != "HighMem")
            .filter_map(|zone| zone.get("managed"))
            .fold(0, u64::saturating_add);
        if slabs.saturating_mul(page) > low / 3 {
            return Some("slab caches that cannot be freed");
        }
    }
    sum_up(memory, page)
        .parts
        .iter()
        .map(|(_, name)| *name)
        .find(|name| *name != "free memory")
}

/// For a machine without memory.
fn oom(report: &Report, judgement: Option<&Judgement<'_>>, out: &mut Vec<Advice>) {
    let oom = &report.oom;
    if oom.constraint.as_deref().is_some_and(|constraint| {
        matches!(constraint, "CONSTRAINT_CPUSET" | "CONSTRAINT_MEMORY_POLICY")
    }) {
        out.push(plain(
            "cpuset.mems",
            "Allow more nodes (cpuset.mems, numactl), or prefer a node instead of binding to it.",
        ));
    }
    let Some(memory) = &report.memory else {
        return;
    };
    let page = memory.page_kib().unwrap_or(4);
    if let Some(judgement) = judgement {
        let fragmented = judgement.main(|judged| judged.verdict == Verdict::NoBlock);
        if judgement.order > 0 && fragmented.is_some() {
            large(report, judgement.order, fragmented, out);
        }
        if let Some(zone) = judgement.main(|judged| matches!(judged.verdict, Verdict::TooLow(_))) {
            boost(judgement, zone, out);
            cma(judgement, zone, out);
        }
        let high = judgement
            .zones
            .iter()
            .any(|judged| judged.zone.name == "HighMem");
        if high && judgement.class != "Movable" && judgement.class != "HighMem" {
            out.push(plain(
                "64 bits",
                "A kernel of 64 bits has no HighMem, and can use all memory for everything. Until then, \
                 vm.vfs_cache_pressure above 100 frees low memory earlier.",
            ));
        }
    }
    let holders = sum_up(memory, page);
    if let (Some(unknown), Some(total)) = (holders.unknown, holders.total) {
        if unknown > total / 2 {
            out.push(plain(
                "page_owner=on",
                "Most of the memory is in none of the kernel's counters, so that killing processes does \
                 not help. Find who holds it: /proc/allocinfo (CONFIG_MEM_ALLOC_PROFILING), or boot \
                 with page_owner=on (CONFIG_PAGE_OWNER).",
            ));
            return;
        }
    }
    match largest_holder(memory, page) {
        Some("slab caches that cannot be freed") => out.push(plain(
            "slabtop",
            "Look for the cache that grows (slabtop -s c, /proc/slabinfo); it is mostly a leak in the \
             kernel or a driver (CONFIG_DEBUG_KMEMLEAK).",
        )),
        Some("shared memory and tmpfs") => {
            out.push(plain("tmpfs", "Bound tmpfs and shared memory (mount -o size=, ipcs -m)."));
        }
        Some("huge pages") => out.push(plain(
            "vm.nr_hugepages",
            "Reserve fewer huge pages; they serve nothing else.",
        )),
        Some("locked memory") => out.push(plain(
            "ulimit -l",
            "Look for the process that locks memory (VmLck in /proc/PID/status).",
        )),
        Some("page cache") => out.push(plain(
            "vm.dirty_bytes",
            "Page cache that cannot be freed is dirty, mapped or under writeback: bound it with \
             vm.dirty_bytes and look at the disk.",
        )),
        _ => out.push(plain(
            "limits",
            "Bound the largest processes (memory.max of their groups, the program's own settings), so \
             that they fail instead of the machine.",
        )),
    }
    match memory.swap {
        [_, Some(0)] => out.push(plain(
            "swap",
            "Add swap (or zram), so that anonymous memory that is not used can go.",
        )),
        [Some(free), Some(total)] if free <= total / 50 => {
            out.push(plain(
                "swap",
                "More swap only delays it, if a process grows without bound.",
            ));
        }
        _ => {}
    }
}
