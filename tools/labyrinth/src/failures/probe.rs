// SPDX-License-Identifier: GPL-2.0

//! The two ways to see failures, and how the record of each is read.
//!
//! Both are perf events, which the kernel removes with their file descriptor. So nothing is left
//! behind, whatever ends this process, and nothing of other users is touched.

use super::{
    context::{self, Context},
    flags::Names,
    injected,
    symbols::{Frame, Symbols},
    tracefs::{self, Field, Format},
};
use perf_event_open::{
    config::{
        CallChain, Cpu, Opts, Proc, RecordIdFormat, RegsMask, SampleFormat, SampleOn, WakeUp,
        WakeUpOn,
    },
    count::Counter,
    event::{dp::Kprobe, tp::Tracepoint},
    sample::record::sample::{CallChain as Chain, Sample},
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{ffi::CString, fs, io, path::Path};

/// The frames of a stack that are recorded. More are rare, and they cost room for other records.
const FRAMES: u16 = 48;
/// The frames of a stack of which there are many.
const FEW: u16 = 16;

/// No architecture has a larger order.
const MOST_ORDER: u32 = 63;

/// Selects failed requests. The tracepoint stores this page frame number if there is no page, on
/// all kernels since 4.1.
const NO_PAGE: &str = "pfn == 18446744073709551615";

/// Where failures are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A kprobe on warn_alloc.
    Kprobe,
    /// The tracepoint kmem:mm_page_alloc with a filter.
    Tracepoint,
}

impl Source {
    /// Returns what the source is, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kprobe => "a kprobe on warn_alloc",
            Self::Tracepoint => "the tracepoint kmem:mm_page_alloc",
        }
    }

    /// Returns which failures the source does not see.
    pub fn cannot_see(self) -> &'static [&'static str] {
        const TOO_LARGE: &str = "requests of an order above the largest, which the kernel refuses";
        match self {
            Self::Kprobe => &[
                "alloc_pages_nolock() (see --source tracepoint)",
                "charges that a memory cgroup refuses (see --source tracepoint)",
                "requests within the handler of another kprobe",
                TOO_LARGE,
            ],
            Self::Tracepoint => &[TOO_LARGE],
        }
    }
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The page allocator had no pages.
    Memory,
    /// The fault injection of a debug kernel (fail_page_alloc).
    Injected,
    /// A function such as vmalloc, which reports in the same way. Not a failed request for pages.
    Other,
}

/// A failure as it was recorded, without names.
#[derive(Clone, Debug)]
pub struct Raw {
    /// When it happened, on the clock of the kernel's log, in nanoseconds.
    pub time: u64,
    /// The CPU.
    pub cpu: u32,
    /// The thread, if the kernel still knew it.
    pub thread: Option<u32>,
    /// The order of the request.
    pub order: Option<u32>,
    /// The flags of the request.
    pub gfp: Option<u64>,
    /// The addresses on the stack, innermost first.
    pub stack: Vec<u64>,
    /// The flags of the trace record.
    pub flags: u8,
}

/// A kind of perf event.
pub enum Probe {
    /// See [`Source::Kprobe`].
    Kprobe,
    /// See [`Source::Tracepoint`], and the injected failures.
    Tracepoint {
        /// The number of the event.
        id: u64,
        /// The filter.
        filter: CString,
        /// Where the order is.
        order: Option<Field>,
        /// Where the flags are.
        gfp: Option<Field>,
        /// Whether it counts injected failures.
        injected: bool,
        /// Whether it happens so often that nobody waits for it, and that a few frames must do.
        often: bool,
    },
}

impl Probe {
    /// Returns the probe for a source.
    pub fn of(source: Source, root: &Path) -> io::Result<Self> {
        match source {
            Source::Kprobe => Ok(Self::Kprobe),
            Source::Tracepoint => {
                let tracefs = tracefs::find(root).ok_or(io::ErrorKind::NotFound)?;
                Ok(Self::tracepoint(
                    &Format::of(&tracefs, "kmem/mm_page_alloc")?,
                    NO_PAGE,
                    false,
                ))
            }
        }
    }

    /// Returns the probe for requests with these flags that get their pages. They can be many, so
    /// their records have few frames, and must be read again and again.
    pub fn of_served(root: &Path, with: u64, without: u64) -> io::Result<Self> {
        let tracefs = tracefs::find(root).ok_or(io::ErrorKind::NotFound)?;
        let format = Format::of(&tracefs, "kmem/mm_page_alloc")?;
        let filter =
            format!("gfp_flags & {with:#x} && !(gfp_flags & {without:#x}) && !({NO_PAGE})");
        let mut probe = Self::tracepoint(&format, &filter, false);

        if let Self::Tracepoint { often, .. } = &mut probe {
            *often = true;
        }
        Ok(probe)
    }

    /// Returns the probe for an event that this process has defined for injected failures.
    pub fn of_injected(tracefs: &Path, event: &str) -> io::Result<Self> {
        Ok(Self::tracepoint(
            &Format::of(tracefs, event)?,
            injected::FILTER,
            true,
        ))
    }

    fn tracepoint(format: &Format, filter: &str, injected: bool) -> Self {
        Self::Tracepoint {
            id: format.id,
            filter: CString::new(filter).expect("a filter has no zero bytes"),
            order: format.field("order"),
            gfp: format.field("gfp_flags"),
            injected,
            often: false,
        }
    }

    /// Opens the event on a CPU. It counts from now on.
    pub fn open(&self, root: &Path, cpu: u32) -> io::Result<Counter> {
        let opts = self.options(max_frames(root));
        let target = (Proc::ALL, Cpu(cpu));
        let counter = match self {
            Self::Kprobe => {
                let probe = Kprobe::Symbol {
                    name: c"warn_alloc",
                    offset: 0,
                };
                Counter::new(probe, target, opts)?
            }
            Self::Tracepoint { id, filter, .. } => {
                let counter = Counter::new(Tracepoint { id: *id }, target, opts)?;
                counter.with_ftrace_filter(filter)?;
                counter
            }
        };

        counter.enable()?;
        Ok(counter)
    }

    fn options(&self, frames: u16) -> Opts {
        let often = matches!(self, Self::Tracepoint { often: true, .. });
        let frames = if often { frames.min(FEW) } else { frames };

        Opts {
            sample_on: SampleOn::Count(1),
            sample_format: SampleFormat {
                call_chain: Some(CallChain {
                    exclude_user: true,
                    exclude_kernel: false,
                    defer_user: false,
                    max_stack_frames: frames,
                }),
                intr_regs: matches!(self, Self::Kprobe)
                    .then(registers)
                    .flatten()
                    .map(RegsMask),
                raw: true,
                ..SampleFormat::default()
            },
            record_id_format: RecordIdFormat {
                cpu: true,
                task: true,
                time: true,
                ..RecordIdFormat::default()
            },
            wake_up: WakeUp {
                on: if often {
                    WakeUpOn::Bytes(0)
                } else {
                    WakeUpOn::Samples(1)
                },
                on_aux_bytes: 0,
            },
            ..Opts::default()
        }
    }

    /// Reads a record.
    pub fn read(&self, sample: &Sample) -> Raw {
        let raw = sample.raw.as_deref().unwrap_or_default();
        let field = |field: &Option<Field>| field.as_ref().and_then(|field| field.read(raw));
        let (order, gfp) = match self {
            Self::Kprobe => sample
                .intr_regs
                .as_ref()
                .map_or((None, None), |(registers, _)| arguments(registers)),
            Self::Tracepoint { order, gfp, .. } => (field(order), field(gfp)),
        };
        let mut stack = Vec::new();

        for chain in sample.call_chain.iter().flatten() {
            if let Chain::Kernel(addresses) = chain {
                stack.extend(addresses);
            }
        }
        Raw {
            time: sample.record_id.time.unwrap_or_default(),
            cpu: sample.record_id.cpu.unwrap_or_default(),
            thread: sample
                .record_id
                .task
                .as_ref()
                .map(|task| task.tid)
                .filter(|&tid| tid != u32::MAX),
            order: order.and_then(|order| order.try_into().ok()),
            gfp,
            stack,
            // The record begins with its type, of two bytes.
            flags: raw.get(2).copied().unwrap_or_default(),
        }
    }

    /// Returns what failed.
    pub fn cause(&self, raw: &Raw, frames: &[Frame]) -> Cause {
        match self {
            Self::Tracepoint { injected: true, .. } => Cause::Injected,
            Self::Tracepoint { .. } => Cause::Memory,
            // The number of others is mostly a size. Some kernels leave out the direct caller of
            // the probed function, so its name alone does not tell.
            Self::Kprobe => {
                let size = raw.order.is_some_and(|order| order > MOST_ORDER);
                let caller = frames.get(1).is_some_and(|frame| is_other(&frame.name));

                if size || caller {
                    Cause::Other
                } else {
                    Cause::Memory
                }
            }
        }
    }

    /// Returns the context.
    pub fn context(&self, raw: &Raw, frames: &[Frame]) -> Context {
        let names = frames.iter().map(|frame| frame.name.as_str());

        Context::of(raw.flags, self.is_kprobe(), names)
    }

    /// Returns whether interrupts were off, if it is known.
    pub fn irqs_off(&self, raw: &Raw) -> Option<bool> {
        context::irqs_off(
            raw.flags,
            self.is_kprobe() && context::is_breakpoint(raw.flags),
        )
    }

    fn is_kprobe(&self) -> bool {
        !matches!(
            self,
            Self::Tracepoint {
                injected: false,
                ..
            }
        )
    }
}

/// Whether a caller of warn_alloc is not the page allocator.
fn is_other(name: &str) -> bool {
    [
        "vmalloc",
        "__vmalloc",
        "vmap",
        "__vmap",
        "vm_area_alloc_pages",
        "vmemmap",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// Returns how many frames the kernel allows.
fn max_frames(root: &Path) -> u16 {
    fs::read_to_string(root.join("proc/sys/kernel/perf_event_max_stack"))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .map_or(FRAMES, |limit: u16| limit.min(FRAMES))
}

/// Returns the registers with the first argument of warn_alloc, the flags, and the fourth, the
/// order, if this architecture is known.
fn registers() -> Option<u64> {
    match std::env::consts::ARCH {
        // CX and DI.
        "x86_64" => Some((1 << 2) | (1 << 5)),
        // X0 and X3.
        "aarch64" => Some((1 << 0) | (1 << 3)),
        // A0 and A3.
        "riscv64" => Some((1 << 10) | (1 << 13)),
        _ => None,
    }
}

/// Returns the order and the flags. The kernel writes the registers in the order of their bits.
fn arguments(registers: &[u64]) -> (Option<u64>, Option<u64>) {
    let &[first, second] = registers else {
        return (None, None);
    };
    let (order, gfp) = if cfg!(target_arch = "x86_64") {
        (first, second)
    } else {
        (second, first)
    };

    // Both are 32 bits wide, and the upper half of a register is undefined.
    (Some(order & 0xffff_ffff), Some(gfp & 0xffff_ffff))
}

/// Returns the names of flags, or none if tracefs is not mounted.
pub fn names(root: &Path) -> Names {
    tracefs::find(root)
        .and_then(|tracefs| Format::of(&tracefs, "kmem/mm_page_alloc").ok())
        .map(|format| Names::from_print_format(&format.print))
        .unwrap_or_default()
}

/// Returns the symbols, or none if they cannot be read.
pub fn symbols(root: &Path) -> Option<Symbols> {
    Symbols::load(root).ok().filter(|symbols| !symbols.hidden())
}

#[cfg(test)]
mod tests {
    use super::{arguments, Cause, Frame, Probe, Raw};

    fn cause(order: u32, caller: &str) -> Cause {
        let raw = Raw {
            time: 0,
            cpu: 0,
            thread: None,
            order: Some(order),
            gfp: None,
            stack: Vec::new(),
            flags: 0,
        };

        Probe::Kprobe.cause(&raw, &frames(caller))
    }

    fn frames(caller: &str) -> [Frame; 2] {
        ["warn_alloc", caller].map(|name| Frame {
            name: name.to_owned(),
            module: None,
        })
    }

    #[test]
    fn other_callers_of_warn_alloc_are_told_apart() {
        assert_eq!(
            cause(0, "__alloc_pages_slowpath.constprop.0"),
            Cause::Memory
        );
        assert_eq!(cause(3, "alloc_pages_mpol"), Cause::Memory);
        assert_eq!(cause(0, "0xffffffff81000000"), Cause::Memory);
        assert_eq!(cause(0, "__vmalloc_node_range_noprof"), Cause::Other);
        assert_eq!(cause(8192, "0xffffffff81000000"), Cause::Other);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn arguments_are_in_registers() {
        assert_eq!(
            arguments(&[3, 0xffff_0000_0000_0820]),
            (Some(3), Some(0x820))
        );
        assert_eq!(arguments(&[]), (None, None));
    }
}
