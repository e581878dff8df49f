// SPDX-License-Identifier: GPL-2.0

//! What a log says about a failed request.

use super::{gfp::Mode, kernel::Version, meminfo::Memory, trace::Trace, words::start};

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The page allocator returned nothing.
    Page,
    /// The page allocator took long (kernels until 4.14).
    Stall {
        /// How long it had taken.
        ms: u64,
    },
    /// `vmalloc` or `vmap`.
    Vmalloc {
        /// What the kernel says about it, such as "failed to allocate pages".
        what: String,
        /// The size of the request.
        bytes: Option<u64>,
    },
    /// The array of `struct page` of memory that was being added.
    Vmemmap,
    /// A slab cache got no new slab.
    Slab,
    /// An area of contiguous memory (CMA) could not serve a driver.
    Cma {
        /// The name of the area.
        area: Option<String>,
        /// How many pages were wanted.
        pages: u64,
        /// The error.
        error: i64,
    },
    /// The OOM killer was called.
    Oom,
    /// Memory information without a failed request, or whose head is missing.
    MemInfo,
}

/// A slab cache, of "SLUB: Unable to allocate memory".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slab {
    /// The name of the cache.
    pub cache: Option<String>,
    /// The size of an object in bytes.
    pub object: Option<u64>,
    /// The order that the cache wants for a slab.
    pub default_order: Option<u32>,
    /// The order that it accepts.
    pub min_order: Option<u32>,
    /// The node from which the slab was to be; -1 is any.
    pub node: Option<i64>,
    /// By node: its number, its slabs, the objects and the free ones of them.
    pub nodes: Vec<[u64; 4]>,
}

/// What the OOM killer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Oom {
    /// `CONSTRAINT_NONE` and so on.
    pub constraint: Option<String>,
    /// The memory control group that was at its limit.
    pub memcg: Option<String>,
    /// Usage, limit (in KiB) and failures of `memory`.
    pub memory: Option<[u64; 3]>,
    /// The same of `swap`.
    pub swap: Option<[u64; 3]>,
    /// The same of `memory+swap`.
    pub memsw: Option<[u64; 3]>,
    /// The same of `kmem`.
    pub kmem: Option<[u64; 3]>,
    /// The statistics of the group: names, and sizes in KiB.
    pub stats: Vec<(String, u64)>,
    /// The process that was killed.
    pub victim: Option<Victim>,
    /// The largest processes: name, PID and resident pages.
    pub tasks: Vec<(String, u64, u64)>,
    /// How many processes the table had.
    pub task_count: u64,
    /// The largest unreclaimable slab caches: name and KiB.
    pub slabs: Vec<(String, u64)>,
    /// "no killable processes" or the like.
    pub dead_end: Option<String>,
    /// Somebody called it by hand.
    pub by_hand: bool,
    /// The kernel was built without compaction.
    pub no_compaction: bool,
}

impl Oom {
    /// Returns about how many bytes the lists take.
    fn size(&self) -> usize {
        let names = self.stats.iter().chain(&self.slabs).map(|(name, _)| name);
        let names = names.chain(self.tasks.iter().map(|(name, ..)| name));
        let victim = self.victim.as_ref().map_or(0, |victim| victim.comm.len());

        names.map(|name| 64 + name.len()).sum::<usize>() + victim
    }
}

/// A process that the OOM killer killed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Victim {
    /// The name.
    pub comm: String,
    /// The PID.
    pub pid: Option<u64>,
    /// Its memory: `anon-rss`, `file-rss` and `shmem-rss` in KiB.
    pub rss: [Option<u64>; 3],
    /// Its adjustment.
    pub adjustment: Option<i64>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The line, if it is about a line.
    pub line: Option<u64>,
    /// What is wrong with it.
    pub what: String,
}

/// How many notes about unreadable things are kept for a report.
const NOTES: usize = 16;
/// How long a note can be. It can quote the log.
const LONGEST_NOTE: usize = 512;

/// A report of the kernel.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file, as it was named.
    pub file: String,
    /// The line of the head.
    pub line: u64,
    /// The last line that was read for it.
    pub last_line: u64,
    /// When, as the log has it.
    pub time: Option<String>,
    /// When, in seconds since boot.
    pub seconds: Option<f64>,
    /// Who printed it, if each line says so.
    pub printer: Option<String>,
    /// What failed.
    pub kind: Kind,
    /// The name of the process.
    pub comm: Option<String>,
    /// Its PID.
    pub pid: Option<u64>,
    /// The order of the request.
    pub order: Option<u32>,
    /// The flags of the request.
    pub mode: Option<Mode>,
    /// The nodes of the memory policy, as the log has them.
    pub nodemask: Option<String>,
    /// The nodes of the cpuset.
    pub mems_allowed: Option<String>,
    /// The kernel.
    pub kernel: Option<Version>,
    /// Who called the allocator.
    pub trace: Trace,
    /// The memory at that time.
    pub memory: Option<Memory>,
    /// What only the OOM killer says.
    pub oom: Oom,
    /// What only slab caches say.
    pub slab: Slab,
    /// The line of the page allocator's report of about the same time, for a slab cache.
    pub related: Option<u64>,
    /// The line of the OOM killer's report that chose this process.
    pub killed: Option<u64>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// How many more notes there were.
    pub unread_more: u64,
}

impl Report {
    /// Begins a report at a line.
    pub fn new(file: &str, line: u64, kind: Kind) -> Self {
        Self {
            file: file.to_owned(),
            line,
            last_line: line,
            time: None,
            seconds: None,
            printer: None,
            kind,
            comm: None,
            pid: None,
            order: None,
            mode: None,
            nodemask: None,
            mems_allowed: None,
            kernel: None,
            trace: Trace::default(),
            memory: None,
            oom: Oom::default(),
            slab: Slab::default(),
            related: None,
            killed: None,
            unread: Vec::new(),
            unread_more: 0,
        }
    }

    /// Notes that something could not be read.
    pub fn note(&mut self, line: Option<u64>, what: impl Into<String>) {
        let mut what = what.into();
        what.truncate(start(&what, LONGEST_NOTE).len());
        let note = Unread { line, what };
        if self.unread.contains(&note) {
            return;
        }
        if self.unread.len() < NOTES {
            self.unread.push(note);
        } else {
            self.unread_more += 1;
        }
    }

    /// Returns about how many bytes this takes.
    pub fn size(&self) -> usize {
        let oom = &self.oom;
        let texts = [
            &self.time,
            &self.printer,
            &self.comm,
            &self.nodemask,
            &self.mems_allowed,
            &oom.constraint,
            &oom.memcg,
            &oom.dead_end,
            &self.slab.cache,
        ];
        let texts = texts.into_iter().flatten().map(String::len);
        let kind = match &self.kind {
            Kind::Vmalloc { what, .. } => what.len(),
            Kind::Cma { area, .. } => area.as_ref().map_or(0, String::len),
            _ => 0,
        };
        let names = self.mode.iter().filter_map(|mode| mode.names.as_ref());
        size_of::<Self>()
            + self.file.len()
            + kind
            + texts.sum::<usize>()
            + names.map(String::len).sum::<usize>()
            + self.trace.size()
            + self.memory.as_ref().map_or(0, Memory::size)
            + oom.size()
            + 32 * self.slab.nodes.capacity()
            + self
                .unread
                .iter()
                .map(|note| 48 + note.what.len())
                .sum::<usize>()
    }

    /// Returns whether such a report is without memory information.
    pub fn is_small(&self) -> bool {
        match &self.kind {
            Kind::Slab | Kind::Cma { .. } => true,
            Kind::Vmalloc { what, .. } => what.starts_with("vmap allocation"),
            _ => false,
        }
    }

    /// Returns whether the report is about a memory control group that was at its limit.
    pub fn is_memcg(&self) -> bool {
        self.kind == Kind::Oom
            && (self.oom.memory.is_some()
                || self.oom.memcg.is_some()
                || self.oom.constraint.as_deref() == Some("CONSTRAINT_MEMCG"))
    }
}
