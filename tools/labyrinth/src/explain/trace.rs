// SPDX-License-Identifier: GPL-2.0

//! The call trace: who called the allocator.

use memchr::{memchr, memmem::Finder};
use std::sync::LazyLock;

/// The word between two functions in traces of 32-bit ARM.
static FROM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" from "));

/// How many functions are kept.
const DEPTH: usize = 48;

/// Functions of the kernel's allocators and of what prints the report. All of their names begin
/// with one of these.
const ALLOCATOR: [&str; 46] = [
    "dump_stack",
    "__dump_stack",
    "dump_backtrace",
    "show_stack",
    "unwind_backtrace",
    "dump_header",
    "warn_alloc",
    "oom_kill_process",
    "out_of_memory",
    "mem_cgroup_out_of_memory",
    "mem_cgroup_oom",
    "__mem_cgroup_",
    "mem_cgroup_",
    "try_charge",
    "charge_memcg",
    "__alloc_pages",
    "alloc_pages",
    "alloc_page",
    "__alloc_frozen_pages",
    "alloc_frozen_pages",
    "__folio_alloc",
    "folio_alloc",
    "vma_alloc_folio",
    "alloc_slab_page",
    "allocate_slab",
    "new_slab",
    "___slab_alloc",
    "__slab_alloc",
    "slab_out_of_memory",
    "refill_objects",
    "__pcs_",
    "refill_sheaf",
    "cache_grow",
    "cache_alloc",
    "____cache_alloc",
    "fallback_alloc",
    "kmem_cache_alloc",
    "__kmem_cache_alloc",
    "kmem_getpages",
    "__kmalloc",
    "kmalloc",
    "___kmalloc",
    "krealloc",
    "__get_free_pages",
    "get_free_pages",
    "get_page_from_freelist",
];

/// Functions that free memory. The kernel frees no more memory for what these ask for, and lets them
/// have all that is free.
const RECLAIM: [&str; 6] = [
    "try_to_free_pages",
    "try_to_free_mem_cgroup_pages",
    "try_to_compact_pages",
    "balance_pgdat",
    "node_reclaim",
    "__node_reclaim",
];

/// Functions through which drivers get memory. They are worth a name, but not the caller.
const HELPER: [&str; 27] = [
    "__alloc_skb",
    "alloc_skb",
    "__netdev_alloc_skb",
    "__napi_alloc_skb",
    "napi_alloc_skb",
    "napi_skb_cache_get",
    "__build_skb",
    "build_skb",
    "napi_build_skb",
    "skb_copy",
    "pskb_",
    "__pskb_",
    "__alloc_page_frag",
    "page_frag_alloc",
    "__page_frag",
    "skb_page_frag_refill",
    "sk_page_frag_refill",
    "page_pool_",
    "__page_pool_",
    "dma_",
    "__dma_",
    "iommu_dma_",
    "kvmalloc",
    "__kvmalloc",
    "vmalloc",
    "__vmalloc",
    "mempool_",
];

/// A call trace, from the inside out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    frames: Vec<(String, Option<String>)>,
    /// Whether it ran in an interrupt.
    pub interrupt: bool,
    /// Whether there was a trace.
    pub seen: bool,
    /// Whether addresses have 32 bits.
    pub short: bool,
}

impl Trace {
    /// Returns about how many bytes this takes.
    pub fn size(&self) -> usize {
        let of = |(name, module): &(String, Option<String>)| {
            64 + name.len() + module.as_ref().map_or(0, String::len)
        };
        self.frames.iter().map(of).sum()
    }

    /// Takes a line of the trace, if it is one.
    pub fn feed(&mut self, text: &str) -> bool {
        let line = text.trim();
        if line.starts_with("Call Trace:") || line.starts_with("Call trace:") {
            self.seen = true;
            return true;
        }
        if matches!(line, "<IRQ>" | "<SOFTIRQ>" | "<NMI>") {
            self.interrupt = true;
            return true;
        }
        if matches!(
            line,
            "</IRQ>" | "</SOFTIRQ>" | "<TASK>" | "</TASK>" | "</NMI>"
        ) {
            return true;
        }
        let Some((name, module)) = frame(line) else {
            return false;
        };
        self.short |= is_short(line);
        if memchr(b'<', line.as_bytes()).is_some() && line.contains("<IRQ>") {
            self.interrupt = true;
        }
        self.seen = true;
        if !name.is_empty() && self.frames.len() < DEPTH {
            self.frames.push((name, module));
        }
        true
    }

    /// Returns the function that wanted memory, with its module if it is in one.
    pub fn caller(&self) -> Option<String> {
        let rest = self.rest();

        rest.iter()
            .find(|(name, _)| !starts(name, &HELPER))
            .or_else(|| rest.first())
            .map(|(name, module)| match module {
                Some(module) => format!("{name} [{module}]"),
                None => name.clone(),
            })
    }

    /// Returns the function of the kernel through which the caller got memory, if it is known.
    pub fn helper(&self) -> Option<&str> {
        let rest = self.rest();
        let (name, _) = rest.first()?;

        (starts(name, &HELPER) && rest.iter().any(|(name, _)| !starts(name, &HELPER)))
            .then_some(name)
    }

    /// Returns the function that was freeing memory when the request came, unless an interrupt came
    /// in between.
    pub fn reclaim(&self) -> Option<&'static str> {
        RECLAIM.into_iter().find(|function| {
            let is = |(name, _): &(String, Option<String>)| name == function;
            !self.interrupt && self.frames.iter().any(is)
        })
    }

    /// Returns whether a function with such a name is in the trace.
    pub fn has(&self, part: &str) -> bool {
        self.frames.iter().any(|(name, _)| name.contains(part))
    }

    /// Returns whether memory for packets was wanted.
    pub fn is_network(&self) -> bool {
        [
            "skb",
            "page_frag",
            "page_pool",
            "napi",
            "net_rx_action",
            "netif_",
        ]
        .iter()
        .any(|part| self.has(part))
    }

    fn rest(&self) -> &[(String, Option<String>)] {
        let skip = self
            .frames
            .iter()
            .position(|(name, _)| !starts(name, &ALLOCATOR))
            .unwrap_or(self.frames.len());
        &self.frames[skip..]
    }
}

/// Returns whether a line is from a 32-bit CPU: its addresses have eight digits, or it has a form
/// that only 32-bit ARM uses.
fn is_short(line: &str) -> bool {
    match memchr(b'<', line.as_bytes())
        .and_then(|_| line.split_once("[<"))
        .and_then(|(_, rest)| rest.split_once(">]"))
    {
        Some((address, _)) => address.len() == 8,
        None => FROM.find(line.as_bytes()).is_some(),
    }
}

fn starts(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Reads a line such as `warn_alloc+0xf4/0x190`, or those of older kernels and of ARM. The name is
/// empty if the line is to be skipped: guesses of the unwinder are marked with `?`.
fn frame(line: &str) -> Option<(String, Option<String>)> {
    // Most other lines have none.
    memchr(b'+', line.as_bytes())?;
    let mut rest = line;
    if let Some(after) = rest.strip_prefix("<IRQ>") {
        rest = after.trim_start();
    }
    // "[<ffffffff81114e64>]".
    while let Some(after) = rest.strip_prefix("[<") {
        rest = after.split_once(">]")?.1.trim_start();
    }
    let guess = rest.starts_with("? ");
    rest = rest.trim_start_matches("? ");
    // "(warn_alloc) from [<c00>] (__alloc_pages+0x1/0x2)" and "warn_alloc from __alloc_pages+0x1/0x2".
    if let Some(at) = FROM.find(rest.as_bytes()) {
        rest = rest[at + FROM.needle().len()..].trim_start();
        while let Some(after) = rest.strip_prefix("[<") {
            rest = after.split_once(">]")?.1.trim_start();
        }
    }
    let rest = rest.trim_start_matches('(').trim_end_matches(')');
    let at = memchr(b'+', rest.as_bytes())?;
    let name = &rest[..at];
    let offset = rest[at..].strip_prefix("+0x")?;
    let name = name.split(['.', ' ']).next()?;
    if name.is_empty()
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$')
        || !offset.contains("/0x")
    {
        return None;
    }
    let module = offset
        .split_once('[')
        .and_then(|(_, module)| module.split([']', ' ']).next())
        .map(str::to_owned);

    Some(if guess {
        (String::new(), None)
    } else {
        (name.to_owned(), module)
    })
}

#[cfg(test)]
mod tests {
    use super::Trace;

    fn trace(lines: &[&str]) -> Trace {
        let mut trace = Trace::default();
        for line in lines {
            assert!(trace.feed(line), "{line}");
        }
        trace
    }

    #[test]
    fn the_caller_is_found() {
        let trace = trace(&[
            "Call Trace:",
            " <IRQ>",
            " dump_stack_lvl+0x56/0x76",
            " warn_alloc+0x10e/0x180",
            " __alloc_pages_slowpath.constprop.0+0xda0/0xdf0",
            " ? foo+0x1/0x2",
            " __alloc_pages+0x239/0x2d0",
            " __alloc_skb+0x1/0x2",
            " rtw_usb_tx_agg_skb+0xdc/0x288 [rtw88_usb]",
        ]);
        assert_eq!(
            trace.caller().as_deref(),
            Some("rtw_usb_tx_agg_skb [rtw88_usb]")
        );
        assert_eq!(trace.helper(), Some("__alloc_skb"));
        assert!(trace.interrupt && trace.is_network());
    }

    #[test]
    fn traces_of_arm_and_of_old_kernels_are_read() {
        let arm = trace(&[
            " dump_stack_lvl from warn_alloc+0x110/0x19c",
            " warn_alloc from __alloc_pages+0xe9c/0xfe8",
            " kmalloc_large from brcmf_fws_attach+0x38/0x39c [brcmfmac]",
            "[<80107e10>] (__alloc_pages_nodemask) from [<80108228>] (alloc_kmem_pages+0x20/0x28)",
        ]);
        assert_eq!(arm.caller().as_deref(), Some("brcmf_fws_attach [brcmfmac]"));
        assert!(arm.short);
        assert!(trace(&["[<80107e10>] foo+0x1/0x2"]).short);
        let old = trace(&[
            "[<ffffffff81114e64>] ? warn_alloc+0x1/0x2",
            "[<ffffffff81114e64>] foo+0x1/0x2",
        ]);
        assert_eq!(old.caller().as_deref(), Some("foo"));
        assert!(!old.short && !trace(&["foo+0x1/0x2"]).short);
    }

    #[test]
    fn requests_while_memory_is_freed_are_known() {
        let lines = ["Call Trace:", " foo+0x1/0x2", " balance_pgdat+0x1/0x2"];
        assert_eq!(trace(&lines).reclaim(), Some("balance_pgdat"));
        assert_eq!(trace(&[" <IRQ>", lines[1], lines[2]]).reclaim(), None);
        assert_eq!(
            trace(&[" ? balance_pgdat+0x1/0x2", lines[1]]).reclaim(),
            None
        );
    }

    #[test]
    fn other_lines_are_not_taken() {
        for line in [
            "Mem-Info:",
            "RIP: 0033:0x7fdc36338205",
            "usb 1-1: new device",
            "",
        ] {
            assert!(!Trace::default().feed(line), "{line}");
        }
    }
}
