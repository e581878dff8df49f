// SPDX-License-Identifier: GPL-2.0

//! Names of the kernel's addresses, from /proc/kallsyms, with the module of each.

use schemars::JsonSchema;
use serde::Serialize;
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// A function of the kernel or of a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Frame {
    /// The name, or the address if there is no name.
    pub name: String,
    /// The module, unless it is the kernel itself.
    pub module: Option<String>,
}

impl Frame {
    /// Returns the frame of an address without a name.
    pub fn unknown(address: u64) -> Self {
        Self {
            name: format!("{address:#x}"),
            module: None,
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.module {
            Some(module) => f.pad(&format!("{} [{module}]", self.name)),
            None => f.pad(&self.name),
        }
    }
}

/// The symbols of the kernel and its modules.
pub struct Symbols {
    root: PathBuf,
    table: Table,
    modules: Vec<String>,
}

impl Symbols {
    /// Reads the symbols.
    pub fn load(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: root.to_owned(),
            modules: modules(root),
            table: Table::parse(&fs::read_to_string(root.join("proc/kallsyms"))?),
        })
    }

    /// Returns whether the kernel hides its addresses, or has no symbols at all.
    pub fn hidden(&self) -> bool {
        self.table.symbols.is_empty()
    }

    /// Reads the symbols again if modules were loaded or unloaded. Returns whether they were.
    pub fn refresh(&mut self) -> bool {
        let now = modules(&self.root);

        if now == self.modules {
            return false;
        }
        if let Ok(text) = fs::read_to_string(self.root.join("proc/kallsyms")) {
            self.table = Table::parse(&text);
        }
        self.modules = now;
        true
    }

    /// Returns the functions of a stack of addresses, the innermost first. All addresses but the
    /// first are return addresses, which can be right behind the end of a function.
    pub fn frames(&self, stack: &[u64]) -> Vec<Frame> {
        stack
            .iter()
            .enumerate()
            .map(|(depth, &address)| {
                self.table
                    .frame(address - u64::from(depth > 0 && address > 0))
            })
            .collect()
    }
}

/// The modules with their addresses, one line each. The numbers of their users are left out.
fn modules(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join("proc/modules")).unwrap_or_default();

    text.lines()
        .filter_map(|line| {
            let name = line.split(' ').next()?;
            let address = line.split(' ').nth(5)?;
            Some(format!("{name} {address}"))
        })
        .collect()
}

#[derive(Default)]
struct Table {
    symbols: Vec<Symbol>,
    text: String,
    modules: Vec<String>,
}

struct Symbol {
    address: u64,
    start: u32,
    length: u16,
    /// One more than the index of the module, or 0 for the kernel.
    module: u16,
}

impl Table {
    fn parse(kallsyms: &str) -> Self {
        let mut table = Self::default();

        for line in kallsyms.lines() {
            // Without room for more names the rest has none.
            let _ = table.add(line);
        }
        // Aliases are sorted by their place in the file, so that the result is always the same.
        table
            .symbols
            .sort_by_key(|symbol| (symbol.address, symbol.start));
        table.symbols.shrink_to_fit();
        table
    }

    /// Adds a line such as "ffffffffc0401000 t name\t[module]", if it is a function.
    fn add(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_ascii_whitespace();
        let address = u64::from_str_radix(words.next()?, 16).ok()?;
        let is_code = matches!(words.next()?, "t" | "T" | "w" | "W");
        let name = words.next()?;
        let module = words.next().map(|module| module.trim_matches(['[', ']']));

        if address == 0 || !is_code {
            return None;
        }
        if let Some(module) = module {
            if self.modules.last().is_none_or(|last| last != module) {
                self.modules.push(module.to_owned());
            }
        }
        let symbol = Symbol {
            address,
            start: self.text.len().try_into().ok()?,
            length: name.len().try_into().ok()?,
            module: if module.is_some() {
                self.modules.len().try_into().ok()?
            } else {
                0
            },
        };

        self.text.push_str(name);
        self.symbols.push(symbol);
        Some(())
    }

    fn frame(&self, address: u64) -> Frame {
        let after = self
            .symbols
            .partition_point(|symbol| symbol.address <= address);
        let Some(mut found) = after.checked_sub(1) else {
            return Frame::unknown(address);
        };
        while found > 0 && self.symbols[found - 1].address == self.symbols[found].address {
            found -= 1;
        }
        let symbol = &self.symbols[found];
        let start = symbol.start as usize;
        let name = &self.text[start..start + usize::from(symbol.length)];

        Frame {
            name: format!("{:#}", rustc_demangle::demangle(name)),
            module: usize::from(symbol.module)
                .checked_sub(1)
                .map(|index| self.modules[index].clone()),
        }
    }
}

/// Returns the first function that is not part of an allocator: who asked for memory.
pub fn caller(frames: &[Frame]) -> Option<&Frame> {
    frames
        .iter()
        .find(|frame| frame.module.is_some() || !is_allocator(&frame.name))
        .or(frames.last())
}

/// Whether a function of the kernel itself belongs to the page allocator, or to an allocator on top
/// of it, whose failures are those of its callers.
pub fn is_allocator(name: &str) -> bool {
    const PREFIXES: [&str; 31] = [
        // Between a tracepoint and perf, on some kernels or with several probes.
        "__do_trace_",
        "__traceiter_",
        "perf_trace_",
        "__alloc_pages",
        "__alloc_frozen_pages",
        "__folio_alloc",
        "__get_free_pages",
        "__kmalloc",
        "___kmalloc",
        "__kmem_cache_alloc",
        "__krealloc",
        "__kvmalloc",
        "__page_frag_",
        "__pcs_",
        "__slab_alloc",
        "___slab_alloc",
        "__vmalloc",
        "alloc_frozen_pages",
        "alloc_pages",
        "folio_alloc",
        "get_zeroed_page",
        "kmalloc",
        "kmem_cache_alloc",
        "krealloc",
        "kvmalloc",
        "page_frag_",
        "refill_",
        "slab_alloc",
        "vma_alloc_",
        "vmalloc",
        "vzalloc",
    ];
    const NAMES: [&str; 14] = [
        "warn_alloc",
        "prepare_alloc_pages",
        "should_fail_alloc_page",
        "allocate_slab",
        "alloc_slab_page",
        "alloc_from_pcs",
        "alloc_full_sheaf",
        "new_slab",
        "kvrealloc_node_align",
        "kzalloc",
        "get_free_pages",
        "rust_helper_alloc_pages",
        "arch_rethook_trampoline",
        "__kretprobe_trampoline",
    ];
    let plain = name.split('.').next().unwrap_or(name);
    let plain = plain.strip_suffix("_noprof").unwrap_or(plain);

    NAMES.contains(&plain) || PREFIXES.iter().any(|prefix| plain.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::{caller, is_allocator, Frame, Symbols, Table};
    use std::fs;

    const KALLSYMS: &str = "0000000000000000 A fixed_percpu_data\n\
        ffffffff81000000 T _stext\n\
        ffffffff81000100 T warn_alloc\n\
        ffffffff81000200 t __alloc_pages_slowpath.constprop.0\n\
        ffffffff81000200 t alias\n\
        ffffffff82000000 D data\n\
        ffffffffc0400000 t send\t[net_driver]\n\
        ffffffffc0400080 t _RNvNtC4name4deep5alloc\t[rusty]\n";

    #[test]
    fn addresses_get_names_and_modules() {
        let table = Table::parse(KALLSYMS);
        let name = |address| table.frame(address).to_string();

        assert_eq!(name(0xffff_ffff_8100_0100), "warn_alloc");
        assert_eq!(
            name(0xffff_ffff_8100_0234),
            "__alloc_pages_slowpath.constprop.0"
        );
        assert_eq!(name(0xffff_ffff_c040_0010), "send [net_driver]");
        assert_eq!(name(0xffff_ffff_c040_0090), "name::deep::alloc [rusty]");
        assert_eq!(name(0x10), "0x10");
        assert!(Table::parse("0000000000000000 T warn_alloc\n")
            .symbols
            .is_empty());
    }

    #[test]
    fn the_caller_is_outside_of_the_allocators() {
        let frames = |names: &[&str]| -> Vec<Frame> {
            names
                .iter()
                .map(|&name| Frame {
                    name: name.to_owned(),
                    module: None,
                })
                .collect()
        };
        let stack = frames(&[
            "warn_alloc",
            "__alloc_pages_slowpath.constprop.0",
            "__alloc_pages_noprof",
            "new_slab",
            "___slab_alloc",
            "kmem_cache_alloc_noprof",
            "__alloc_skb",
            "tcp_stream_alloc_skb",
        ]);

        assert_eq!(caller(&stack).unwrap().name, "__alloc_skb");
        assert_eq!(caller(&stack[..2]).unwrap().name, stack[1].name);
        assert_eq!(caller(&[]), None);
        assert!(is_allocator("__traceiter_mm_page_alloc"));
        assert!(is_allocator("__do_trace_mm_page_alloc"));
        assert!(!is_allocator("shmem_alloc_folio"));
    }

    #[test]
    fn symbols_follow_the_modules() {
        let root = tempfile::tempdir().unwrap();
        let proc = root.path().join("proc");

        fs::create_dir(&proc).unwrap();
        fs::write(proc.join("kallsyms"), "ffffffff81000100 T warn_alloc\n").unwrap();
        fs::write(proc.join("modules"), "").unwrap();
        let mut symbols = Symbols::load(root.path()).unwrap();
        let stack = [0xffff_ffff_8100_0100, 0xffff_ffff_c040_0080];
        assert!(!symbols.hidden() && !symbols.refresh());
        fs::write(proc.join("kallsyms"), KALLSYMS).unwrap();
        let module = "net_driver 16384 0 - Live 0xffffffffc0400000\n";
        fs::write(proc.join("modules"), module).unwrap();
        assert!(symbols.refresh());
        assert_eq!(symbols.frames(&stack)[1].to_string(), "send [net_driver]");
        fs::write(proc.join("modules"), module.replace(" 0 ", " 1 ")).unwrap();
        assert!(!symbols.refresh());
    }
}
