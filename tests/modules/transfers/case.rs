// SPDX-License-Identifier: GPL-2.0

//! What a case is.

#![forbid(unsafe_code)]

use kernel::prelude::*;
use labyrinth::context::Task;

/// One case. It starts in task context and sees for itself that it gets elsewhere.
pub(crate) struct Case {
    /// The name in reports: the subject first.
    pub(crate) name: &'static str,
    /// Whether all is well. What is not is in the kernel log.
    pub(crate) run: fn(&mut Task) -> Result,
}

/// Fails the case if a condition does not hold, and says so.
macro_rules! check {
    ($condition:expr) => {
        if !$condition {
            kernel::pr_err!(
                "{}, line {}: {} does not hold\n",
                module_path!(),
                line!(),
                stringify!($condition)
            );
            return Err(kernel::error::code::EINVAL);
        }
    };
}
pub(crate) use check;

/// The cases of work that every context can do where pages can be allocated: it takes a reference
/// to any token.
macro_rules! everywhere {
    ($name:literal, $work:path) => {
        &[
            $crate::case::Case {
                name: concat!($name, "_task"),
                run: |cx| $work(cx),
            },
            $crate::case::Case {
                name: concat!($name, "_spinlock"),
                run: |cx| $crate::context::under_spinlock(cx, |cx| $work(cx))?,
            },
            $crate::case::Case {
                name: concat!($name, "_softirq"),
                run: |cx| $crate::context::in_softirq(cx, |cx| $work(cx))?,
            },
            #[cfg(not(CONFIG_PREEMPT_RT))]
            $crate::case::Case {
                name: concat!($name, "_hard_irq"),
                run: |cx| $crate::context::in_hard_irq(cx, |cx| $work(cx))?,
            },
        ]
    };
}
pub(crate) use everywhere;
