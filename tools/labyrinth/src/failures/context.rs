// SPDX-License-Identifier: GPL-2.0

//! The context in which a request failed.

use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// Bits of `common_flags`, which begins the record of each event.
const IRQS_OFF: u8 = 0x01;
const HARD_IRQ: u8 = 0x08;
const SOFT_IRQ: u8 = 0x10;
const NMI: u8 = 0x40;

/// The functions that run softirqs, on kernels since 5.10.
const SOFTIRQS: [&str; 4] = [
    "handle_softirqs",
    "__do_softirq",
    "do_softirq",
    "run_ksoftirqd",
];
/// Functions that serve interrupts, of which each stack of a hard irq has one.
const INTERRUPTS: [&str; 9] = [
    "common_interrupt",
    "handle_irq_event",
    "__handle_irq_event_percpu",
    "handle_percpu_devid_irq",
    "hrtimer_interrupt",
    "generic_handle_arch_irq",
    "el1_interrupt",
    "gic_handle_irq",
    "irq_work_run",
];

/// The context of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// A process or a thread of the kernel.
    Task,
    /// A softirq, also in a thread.
    Softirq,
    /// A hard irq.
    HardIrq,
    /// An NMI.
    Nmi,
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Task => "task",
            Self::Softirq => "softirq",
            Self::HardIrq => "hard irq",
            Self::Nmi => "NMI",
        })
    }
}

impl Context {
    /// Derives the context from the flags of the trace record and the names on the stack, innermost
    /// first.
    ///
    /// The flags say it all, with two exceptions. PREEMPT_RT does not count softirqs in
    /// `preempt_count`. And a kprobe that is a breakpoint instruction runs as an NMI does, so that
    /// the flags of all requests say NMI and hard irq; `probe` says that this can be.
    pub fn of<'a>(flags: u8, probe: bool, stack: impl Iterator<Item = &'a str> + Clone) -> Self {
        let of_stack = || {
            stack.clone().find_map(|name| match name {
                _ if SOFTIRQS.contains(&name) => Some(Self::Softirq),
                _ if is_interrupt(name) => Some(Self::HardIrq),
                _ => None,
            })
        };

        if flags & NMI != 0 {
            return if probe {
                of_stack().unwrap_or(Self::Task)
            } else {
                Self::Nmi
            };
        }
        if flags & HARD_IRQ != 0 {
            return Self::HardIrq;
        }
        if flags & SOFT_IRQ != 0 {
            return Self::Softirq;
        }
        match of_stack() {
            Some(Self::Softirq) => Self::Softirq,
            _ => Self::Task,
        }
    }
}

/// Returns whether interrupts were off, from the flags of the trace record. It is unknown if the
/// probe can be a breakpoint instruction, which turns them off.
pub fn irqs_off(flags: u8, breakpoint: bool) -> Option<bool> {
    (!breakpoint).then_some(flags & IRQS_OFF != 0)
}

/// Whether the kprobe that made these flags can be a breakpoint. On x86, a kprobe at the beginning
/// of a function is a call of ftrace instead, unless the kernel has no ftrace.
pub fn is_breakpoint(flags: u8) -> bool {
    !cfg!(target_arch = "x86_64") || flags & NMI != 0
}

fn is_interrupt(name: &str) -> bool {
    INTERRUPTS.contains(&name) || name.starts_with("__sysvec_") || name.starts_with("sysvec_")
}

#[cfg(test)]
mod tests {
    use super::{irqs_off, is_breakpoint, Context};

    fn of(flags: u8, probe: bool, stack: &[&str]) -> Context {
        Context::of(flags, probe, stack.iter().copied())
    }

    #[test]
    fn flags_say_the_context() {
        assert_eq!(of(0x01, true, &["f", "kthread"]), Context::Task);
        assert_eq!(of(0x10, true, &["f"]), Context::Softirq);
        assert_eq!(of(0x18, false, &["f", "handle_softirqs"]), Context::HardIrq);
        assert_eq!(of(0x48, false, &["f"]), Context::Nmi);
    }

    #[test]
    fn the_stack_says_it_on_preempt_rt_and_in_breakpoints() {
        let timer = [
            "f",
            "call_timer_fn",
            "handle_softirqs",
            "run_ktimerd",
            "kthread",
        ];
        let hard = [
            "f",
            "hrtimer_interrupt",
            "sysvec_apic_timer_interrupt",
            "handle_softirqs",
        ];
        let late = [
            "f",
            "handle_softirqs",
            "__irq_exit_rcu",
            "sysvec_apic_timer_interrupt",
        ];

        assert_eq!(of(0x00, true, &timer), Context::Softirq);
        assert_eq!(of(0x48, true, &timer), Context::Softirq);
        assert_eq!(of(0x48, true, &hard), Context::HardIrq);
        assert_eq!(of(0x48, true, &late), Context::Softirq);
        assert_eq!(of(0x48, true, &["f", "kthread"]), Context::Task);
    }

    #[test]
    fn breakpoints_turn_interrupts_off() {
        assert_eq!(irqs_off(0x01, false), Some(true));
        assert_eq!(irqs_off(0x10, false), Some(false));
        assert_eq!(irqs_off(0x49, is_breakpoint(0x49)), None);
    }
}
