// SPDX-License-Identifier: GPL-2.0

//! What is counted separately.

/// The context that an exercise allocates in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The timer softirq.
    TimerSoftirq,
    /// Under a spinlock, in task context and in the timer softirq.
    Spinlock,
    /// Task context.
    Task,
    /// A hard interrupt.
    HardIrq,
}

impl Context {
    /// All contexts, in the order of their reports.
    pub const ALL: [Self; 4] = [
        Self::TimerSoftirq,
        Self::Spinlock,
        Self::Task,
        Self::HardIrq,
    ];

    /// The name in reports and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TimerSoftirq => "timer_softirq",
            Self::Spinlock => "spinlock",
            Self::Task => "task",
            Self::HardIrq => "hard_irq",
        }
    }
}

/// A context and a set of allocation flags.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `GFP_ATOMIC` in the timer softirq.
    TimerSoftirq,
    /// `GFP_ATOMIC` under a spinlock.
    Spinlock,
    /// `GFP_ATOMIC` in task context.
    TaskAtomic,
    /// `GFP_KERNEL` in task context.
    TaskKernel,
    /// `alloc_pages_nolock()` in a hard interrupt.
    HardIrq,
}

impl Kind {
    /// All kinds, in the order of their reports; `kind as usize` is the index.
    pub const ALL: [Self; Self::COUNT] = [
        Self::TimerSoftirq,
        Self::Spinlock,
        Self::TaskAtomic,
        Self::TaskKernel,
        Self::HardIrq,
    ];

    /// How many there are.
    pub const COUNT: usize = 5;

    /// Returns the contexts of series, each once if series of one context follow each other.
    pub(super) fn contexts(kinds: &'static [Self]) -> impl Iterator<Item = Context> {
        let mut last = None;
        kinds
            .iter()
            .map(|kind| kind.context())
            .filter(move |&context| last.replace(context) != Some(context))
    }

    /// The context.
    pub const fn context(self) -> Context {
        match self {
            Self::TimerSoftirq => Context::TimerSoftirq,
            Self::Spinlock => Context::Spinlock,
            Self::TaskAtomic | Self::TaskKernel => Context::Task,
            Self::HardIrq => Context::HardIrq,
        }
    }

    /// The name of the allocation flags, which is `Gfp::NAME` of their type.
    pub const fn gfp(self) -> &'static str {
        match self {
            Self::TimerSoftirq | Self::Spinlock | Self::TaskAtomic => "GFP_ATOMIC",
            Self::TaskKernel => "GFP_KERNEL",
            Self::HardIrq => "nolock",
        }
    }
}
