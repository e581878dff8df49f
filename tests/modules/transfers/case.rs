// SPDX-License-Identifier: GPL-2.0

//! Test cases.

#![forbid(unsafe_code)]

use kernel::prelude::*;
use labyrinth::context::Task;

/// One case. It starts in task context, and enters other contexts itself.
pub(crate) struct Case {
    /// The name in reports. It begins with the subject.
    pub(crate) name: &'static str,
    /// Runs the case. It fails if a check failed, which the kernel log then names.
    pub(crate) run: fn(&mut Task) -> Result,
}

/// Fails the case if a condition does not hold, and logs the condition.
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

/// Makes a case for each context in which pages can be allocated. `$work` takes a reference to the
/// token of any of them.
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
