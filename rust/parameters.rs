// SPDX-License-Identifier: GPL-2.0

//! The module parameters, checked.
//!
//! They are declared in `labyrinth_mod.rs`, by the `module!` macro.

#![forbid(unsafe_code)]

use crate::{
    exercise::{
        Plan,
        Setting,
        Settings, //
    },
    ffi::compat::parameter,
    module_parameters as given,
    stats::Context, //
};
use kernel::prelude::*;

/// What the module was told when it was loaded.
pub(crate) struct Parameters {
    /// Whether to record from the start.
    pub(crate) recording: bool,
    /// The exercises, in the order of [`Context::ALL`].
    pub(crate) plans: [Plan; 3],
}

/// Reads and checks all parameters. `ERANGE` for one that is out of bounds, which is named in the
/// kernel log.
pub(crate) fn read() -> Result<Parameters> {
    Ok(Parameters {
        recording: switch("", "recording", parameter(&given::recording))?,
        plans: [
            plan(
                Context::TimerSoftirq,
                parameter(&given::timer_softirq_start),
                [
                    parameter(&given::timer_softirq_period_us),
                    parameter(&given::timer_softirq_batch),
                    parameter(&given::timer_softirq_hold_us),
                ],
            )?,
            plan(
                Context::Spinlock,
                parameter(&given::spinlock_start),
                [
                    parameter(&given::spinlock_period_us),
                    parameter(&given::spinlock_batch),
                    parameter(&given::spinlock_hold_us),
                ],
            )?,
            plan(
                Context::Task,
                parameter(&given::task_start),
                [
                    parameter(&given::task_period_us),
                    parameter(&given::task_batch),
                    parameter(&given::task_hold_us),
                ],
            )?,
        ],
    })
}

fn plan(context: Context, start: u32, values: [u32; 3]) -> Result<Plan> {
    let settings = Settings::new(values).map_err(|setting: Setting| {
        pr_err!(
            "parameter {}_{}={} is out of bounds: {} to {}\n",
            context.name(),
            setting.name(),
            values[setting as usize],
            setting.bounds().start(),
            setting.bounds().end()
        );
        ERANGE
    })?;

    Ok(Plan {
        start: switch(context.name(), "_start", start)?,
        settings,
    })
}

/// A parameter that is 0 or 1; its name comes in two parts.
fn switch(prefix: &str, name: &str, value: u32) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => {
            pr_err!("parameter {prefix}{name}={value} is out of bounds: 0 to 1\n");
            Err(ERANGE)
        }
    }
}
