// SPDX-License-Identifier: GPL-2.0

//! Why the OOM killer was called, in words.

use super::{
    judge::{Judged, Judgement, Verdict},
    meminfo::Memory,
    report::Report,
    why::Why,
    words::{about, either, grouped, kib, list, request},
};

/// Limits above this many KiB mean that there is none.
const NO_LIMIT: u64 = 1 << 50;

/// Explains a report of the OOM killer.
pub fn why(report: &Report, judgement: Option<&Judgement<'_>>) -> Why {
    let mut why = if report.is_memcg() {
        group(report)
    } else {
        machine(report, judgement)
    };
    why.more.extend(victim(report));
    why
}

/// A memory control group was at its limit.
fn group(report: &Report) -> Why {
    let oom = &report.oom;
    let name = oom
        .memcg
        .as_deref()
        .map_or("A memory control group".to_owned(), |name| {
            format!("The memory control group {name}")
        });
    let mut why = Why::default();

    // The group has a limit of memory, and with version 1 one of memory and swap.
    let at_limit = |usage: Option<[u64; 3]>| {
        usage.filter(|[used, limit, _]| {
            *limit < NO_LIMIT && used.saturating_add(limit / 64) >= *limit
        })
    };
    let (what, usage) = if let Some(usage) = at_limit(oom.memory) {
        ("memory", Some(usage))
    } else if let Some(usage) = at_limit(oom.memsw) {
        ("memory and swap together", Some(usage))
    } else if let Some(usage) = at_limit(oom.kmem) {
        ("memory of the kernel", Some(usage))
    } else {
        (
            "memory",
            oom.memory.filter(|[_, limit, _]| *limit < NO_LIMIT),
        )
    };
    why.reason = match usage {
        Some([used, limit, _]) => format!(
            "{name} was at its limit of {what}: it used {} of {} ({}).",
            kib(used),
            kib(limit),
            about(limit)
        ),
        None => format!("{name} was at its limit of memory."),
    };
    if let Some([_, _, failures]) = usage {
        if failures > 0 {
            why.more
                .push(format!("It has hit the limit {} times.", grouped(failures)));
        }
    }
    why.more.extend(match oom.swap {
        Some([_, 0, _]) => Some("It may not use swap.".to_owned()),
        Some([used, limit, _]) if limit < NO_LIMIT && used >= limit => Some(format!(
            "Its swap was full, too: {} of {}.",
            kib(used),
            kib(limit)
        )),
        Some([used, ..]) if used > 0 => Some(format!("It used {} of swap.", kib(used))),
        _ => None,
    });
    let parts = parts(report);
    if !parts.is_empty() {
        why.more.push(format!("Its memory is {}.", list(&parts)));
    }
    if let Some([_, limit, _]) = usage {
        let anon = stat(report, &["anon", "rss"]).unwrap_or(0);
        let file = stat(report, &["file", "cache"]).unwrap_or(0);
        let shared = stat(report, &["shmem"]).unwrap_or(0);
        if anon > limit / 10 * 7 {
            why.more
                .push("Nearly all of it is memory of processes that cannot be dropped.".to_owned());
        } else if shared > limit / 2 {
            why.more
                .push("Most of it is shared memory or files in a tmpfs.".to_owned());
        } else if file.saturating_sub(shared) > limit / 2 {
            why.more.push(
                "Most of it is page cache, which could not be dropped in time: it was dirty, under \
                 writeback or locked."
                    .to_owned(),
            );
        }
    }
    why
}

/// Returns a statistic of the group by its name in version 2 or 1.
pub fn stat(report: &Report, names: &[&str]) -> Option<u64> {
    report
        .oom
        .stats
        .iter()
        .find(|(name, _)| names.contains(&name.as_str()))
        .map(|(_, kib)| *kib)
}

/// Returns the parts of a group's memory, those that matter.
fn parts(report: &Report) -> Vec<String> {
    let mut parts: Vec<(u64, &str)> = [
        (&["anon", "rss"][..], "anonymous"),
        (&["file", "cache"][..], "page cache"),
        (
            &["shmem"][..],
            "shared memory, which is counted as page cache",
        ),
        (&["slab_unreclaimable"][..], "slab caches"),
        (&["kernel_stack"][..], "kernel stacks"),
        (&["pagetables"][..], "page tables"),
        (&["sock"][..], "buffers of sockets"),
        (&["percpu"][..], "per-CPU memory"),
    ]
    .into_iter()
    .filter_map(|(names, title)| Some((stat(report, names)?, title)))
    .filter(|(kib, _)| *kib > 0)
    .collect();
    parts.sort_by_key(|(kib, _)| std::cmp::Reverse(*kib));
    parts
        .into_iter()
        .take(4)
        .map(|(kib, title)| format!("{} {title}", about(kib)))
        .collect()
}

/// The machine, or a part of it, had no memory left.
fn machine(report: &Report, judgement: Option<&Judgement<'_>>) -> Why {
    let mut why = Why {
        reason: reason(report, judgement),
        ..Why::default()
    };
    if let Some(judgement) = judgement {
        let mode = report
            .mode
            .as_ref()
            .map_or(String::new(), |mode| mode.text());
        why.more.push(format!(
            "{} asked for {} with {mode}, and the kernel could not free enough for it.",
            report.comm.as_deref().unwrap_or("A process"),
            request(judgement.order, judgement.page_kib)
        ));
        if judgement.order > 0 && judgement.order <= 3 {
            why.more.push(
                "For up to order 3, the kernel rather kills a process than lets the request fail."
                    .to_owned(),
            );
        }
        if !judgement.lost.is_empty() {
            why.more.push(format!(
                "The log lacks the figures of zone {}.",
                list(&judgement.lost)
            ));
        }
        let low = judgement.main(|judged| matches!(judged.verdict, Verdict::TooLow(_)));
        if let Some(boost) = low
            .and_then(|zone| zone.zone.get("boost"))
            .filter(|&kib| kib > 0)
        {
            why.more.push(format!(
                "That watermark is raised by {} for a while, because memory was getting fragmented.",
                kib(boost)
            ));
        }
        if report.oom.no_compaction {
            why.more
                .push("This kernel was built without compaction (CONFIG_COMPACTION).".to_owned());
        }
    }
    if let Some(memory) = &report.memory {
        why.more.extend(swap(memory));
        let page = memory.page_kib().unwrap_or(4);
        why.more.extend(holders(memory, page));
        if !memory.unreclaimable.is_empty() {
            why.more
                .push("kswapd had given up: it found nothing to free.".to_owned());
        }
    }
    if !report.oom.slabs.is_empty() {
        let slabs: Vec<String> = report
            .oom
            .slabs
            .iter()
            .map(|(name, kib)| format!("{name} ({})", about(*kib)))
            .collect();
        why.more.push(format!(
            "The largest slab caches that cannot be freed are {}.",
            list(&slabs)
        ));
    }
    why
}

fn reason(report: &Report, judgement: Option<&Judgement<'_>>) -> String {
    if report.oom.by_hand {
        return "Somebody called the OOM killer by hand (SysRq-f); no request failed.".to_owned();
    }
    let unknown = report.mode.as_ref().is_some_and(|mode| mode.number == 0);
    if unknown && report.trace.has("pagefault_out_of_memory") {
        return "A page fault ended for lack of memory, and the kernel does not say which request \
                failed. Mostly a charge to a memory control group was refused, such as at a limit of \
                kernel memory (memory.kmem.limit_in_bytes)."
            .to_owned();
    }
    match report.oom.constraint.as_deref() {
        Some("CONSTRAINT_CPUSET") => {
            let nodes = report
                .mems_allowed
                .as_deref()
                .map_or(String::new(), |nodes| format!(" (mems_allowed={nodes})"));
            return format!(
                "The nodes that the process may use by its cpuset{nodes} ran out of memory; other \
                 nodes may have some."
            );
        }
        Some("CONSTRAINT_MEMORY_POLICY") => {
            let nodes = report
                .nodemask
                .as_deref()
                .map_or(String::new(), |nodes| format!(" (nodemask={nodes})"));
            return format!(
                "The nodes of the process's memory policy{nodes} ran out of memory; other nodes may \
                 have some."
            );
        }
        _ => {}
    }
    let Some(judgement) = judgement else {
        return if report.memory.is_some() {
            "The machine ran out of memory; the request is not readable, so that the zones cannot be \
             compared with it."
                .to_owned()
        } else {
            "The machine ran out of memory, but the figures are missing from the log.".to_owned()
        };
    };
    let page = judgement.page_kib;
    let no_block = judgement.main(|judged| judged.verdict == Verdict::NoBlock);
    if let Some(zone) = no_block.filter(|_| judgement.order > 0 && !judgement.served()) {
        return format!(
            "Memory was fragmented: zone {} had {} free, but no block of {} (order {}) that the \
             request may use.",
            zone.zone.title(),
            kib(zone.zone.get("free").unwrap_or(0)),
            about((1_u64 << judgement.order.min(40)).saturating_mul(page)),
            judgement.order
        );
    }
    let low = judgement.main(|judged| matches!(judged.verdict, Verdict::TooLow(_)));
    if judgement.served() {
        return match judgement
            .main(|_| true)
            .and_then(|zone| elsewhere(judgement, zone))
        {
            Some(text) => format!("{text} Some of it was free again when the kernel printed this."),
            None => "Memory ran out, but some was free again when the kernel printed the figures."
                .to_owned(),
        };
    }
    let Some(zone) = low else {
        return "The machine ran out of memory, but the zones of the request are not readable."
            .to_owned();
    };
    if let Some(text) = elsewhere(judgement, zone) {
        return text;
    }
    let usable = zone.usable.unwrap_or(0);
    if zone.cma > usable.saturating_mul(4) && zone.cma > zone.limit().unwrap_or(0) {
        return format!(
            "Only memory in CMA areas was left: of {} free in zone {}, {} are in these, where only \
             movable memory may be.",
            kib(zone.zone.get("free").unwrap_or(0)),
            zone.zone.title(),
            kib(zone.cma.saturating_mul(page))
        );
    }
    format!(
        "Memory ran out: zone {} had {} free that the request may use, and the kernel keeps the last \
         {}.",
        zone.zone.title(),
        kib(usable.saturating_mul(page)),
        kib(zone.limit().unwrap_or(0).saturating_mul(page))
    )
}

/// Returns a sentence if a zone that the request cannot use has plenty of free memory.
fn elsewhere(judgement: &Judgement<'_>, zone: &Judged<'_>) -> Option<String> {
    let other = judgement
        .zones
        .iter()
        .filter(|judged| matches!(judged.verdict, Verdict::Barred(_)))
        .max_by_key(|judged| judged.zone.get("free"))?;
    let free = other.zone.get("free").unwrap_or(0);
    let min = other.zone.get("min").unwrap_or(0);
    let own = zone.zone.get("free").unwrap_or(0);

    // Memory that is free again after the failure is little.
    let factor = if judgement.served() { 8 } else { 1 };
    (free > min.saturating_mul(4) && free > own.saturating_mul(factor)).then(|| {
        format!(
            "The zones that the request may use ran out: zone {} had {} free, while zone {} had {} \
             that it may not use.",
            zone.zone.title(),
            kib(own),
            other.zone.title(),
            kib(free)
        )
    })
}

/// Says whether there was swap.
fn swap(memory: &Memory) -> Option<String> {
    match memory.swap {
        [_, Some(0)] => Some("The machine has no swap.".to_owned()),
        [Some(free), Some(total)] if free <= total / 50 => Some(format!(
            "Swap was full: {} of {} were free.",
            kib(free),
            kib(total)
        )),
        [Some(free), Some(total)] => Some(format!(
            "Swap was not full: {} of {} were free.",
            about(free),
            about(total)
        )),
        _ => None,
    }
}

/// The users of memory, largest first, in KiB. The last number is what no counter has.
pub struct Holders {
    /// By name.
    pub parts: Vec<(u64, &'static str)>,
    /// What is in no counter.
    pub unknown: Option<u64>,
    /// All memory that the kernel manages.
    pub total: Option<u64>,
}

/// Finds out who holds memory.
pub fn sum_up(memory: &Memory, page: u64) -> Holders {
    let sum = |names: &[&str]| -> Option<u64> {
        let mut sum = 0_u64;
        for name in names {
            sum = sum.saturating_add(memory.counter(name)?);
        }
        Some(sum.saturating_mul(page))
    };
    let shared = sum(&["shmem"]).unwrap_or(0);
    // Shared memory is in the lists of anonymous memory.
    let anonymous = sum(&["active_anon", "inactive_anon"]).map(|kib| kib.saturating_sub(shared));
    let huge = memory.huge.iter().fold(0_u64, |sum, [total, _, size]| {
        sum.saturating_add(total.saturating_mul(*size))
    });
    let mut parts: Vec<(u64, &'static str)> = [
        (anonymous, "anonymous memory of processes"),
        (Some(shared), "shared memory and tmpfs"),
        (sum(&["active_file", "inactive_file"]), "page cache"),
        (sum(&["unevictable"]), "locked memory"),
        (
            sum(&["slab_unreclaimable"]),
            "slab caches that cannot be freed",
        ),
        (sum(&["slab_reclaimable"]), "slab caches that can be freed"),
        (sum(&["pagetables"]), "page tables"),
        (Some(huge), "huge pages"),
        (
            memory.of_zones("zspages"),
            "compressed memory (zram, zswap)",
        ),
        (memory.graphics(), "graphics drivers"),
        (sum(&["free"]), "free memory"),
    ]
    .into_iter()
    .filter_map(|(kib, name)| Some((kib?, name)))
    .filter(|(kib, _)| *kib > 0)
    .collect();
    parts.sort_by_key(|(kib, _)| std::cmp::Reverse(*kib));

    let total = match memory.pages {
        [Some(all), _, Some(reserved), _] => {
            Some(all.saturating_sub(reserved).saturating_mul(page))
        }
        _ => None,
    };
    let counted = sum(&[
        "active_anon",
        "inactive_anon",
        "active_file",
        "inactive_file",
        "unevictable",
        "slab_unreclaimable",
        "slab_reclaimable",
        "pagetables",
        "free",
        "free_pcp",
    ]);
    // Most balloons take their pages out of the managed memory: those count as reserved.
    let reserved = memory.pages[2].unwrap_or(0).saturating_mul(page);
    let balloon = memory.balloon().filter(|&balloon| balloon > reserved);
    let others = [memory.of_zones("zspages"), memory.graphics(), balloon];
    let unknown = total.zip(counted).map(|(total, counted)| {
        let known = others
            .into_iter()
            .flatten()
            .fold(counted.saturating_add(huge), u64::saturating_add);
        total.saturating_sub(known)
    });
    Holders {
        parts,
        unknown,
        total,
    }
}

/// Says who holds the memory.
pub fn holders(memory: &Memory, page: u64) -> Vec<String> {
    let holders = sum_up(memory, page);
    let mut out = Vec::new();
    let parts: Vec<String> = holders
        .parts
        .iter()
        .filter(|(_, name)| *name != "free memory")
        .take(3)
        .map(|(kib, name)| format!("{name} ({})", about(*kib)))
        .collect();
    if !parts.is_empty() {
        let of = holders
            .total
            .map_or(String::new(), |total| format!(" of {}", about(total)));
        out.push(format!("Most{of} was held by {}.", list(&parts)));
    }
    if let (Some(balloon), Some(total)) = (memory.balloon(), holders.total) {
        if balloon > total / 8 {
            out.push(format!(
                "The host has taken {} by the balloon of this virtual machine.",
                about(balloon)
            ));
        }
    }
    if let (Some(unknown), Some(total)) = (holders.unknown, holders.total) {
        if unknown > total / 6 {
            let mut others = Vec::new();
            others.push(match memory.graphics() {
                Some(_) => "drivers (network, storage)",
                None => "drivers (graphics, network)",
            });
            others.push("ZFS");
            // Kernels since 6.18 print what zram and zswap hold.
            if memory.of_zones("zspages").is_none() {
                others.push("zram");
            }
            if memory.balloon().is_none() {
                others.push("a balloon of a virtual machine");
            }
            out.push(format!(
                "{} are in none of the kernel's counters: {} can hold them.",
                about(unknown),
                either(&others)
            ));
        }
    }
    out
}

/// Says what was killed.
fn victim(report: &Report) -> Vec<String> {
    let oom = &report.oom;
    let mut out = Vec::new();

    if let Some(victim) = &oom.victim {
        let rss = victim
            .rss
            .iter()
            .flatten()
            .fold(0_u64, |sum, kib| sum.saturating_add(*kib));
        let pid = victim
            .pid
            .map_or(String::new(), |pid| format!(" (PID {pid})"));
        let name = if victim.comm.is_empty() {
            "a process"
        } else {
            &victim.comm
        };
        out.push(if rss > 0 {
            format!("The kernel killed {name}{pid}, which held {}.", about(rss))
        } else {
            format!("The kernel killed {name}{pid}.")
        });
    } else if let Some(end) = &oom.dead_end {
        out.push(format!("The kernel found nothing to kill: \"{end}\"."));
    } else {
        out.push("The log does not say what was killed.".to_owned());
    }
    let page = report
        .memory
        .as_ref()
        .and_then(Memory::page_kib)
        .unwrap_or(4);
    if oom.task_count > 1 && !oom.tasks.is_empty() {
        let tasks: Vec<String> = oom
            .tasks
            .iter()
            .map(|(name, pid, pages)| {
                format!("{name} ({pid}, {})", about(pages.saturating_mul(page)))
            })
            .collect();
        out.push(format!(
            "The largest of {} processes were {}.",
            grouped(oom.task_count),
            list(&tasks)
        ));
    }
    out
}
