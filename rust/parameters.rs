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
    page::Place,
    source::{
        PoolConfig,
        MAX_CACHE,
        MAX_RESERVE, //
    },
    stats::{
        Context,
        Recording, //
    }, //
};
use kernel::prelude::*;

/// What the module was told when it was loaded.
pub(crate) struct Parameters {
    /// What is recorded from the start.
    pub(crate) recording: Recording,
    /// The pool of the exercises and of callers without a pool of their own.
    pub(crate) pool: PoolConfig,
    /// Pages that each CPU's cache of that pool is filled with at load.
    pub(crate) prime: usize,
    /// The exercises, in the order of [`Context::ALL`].
    pub(crate) plans: [Plan; 4],
}

/// Reads and checks all parameters. `ERANGE` for one that is out of bounds, which is named in the
/// kernel log.
pub(crate) fn read() -> Result<Parameters> {
    Ok(Parameters {
        recording: recording(parameter(&given::recording))?,
        pool: PoolConfig {
            order: 0,
            cache: bounded("pool_cache", parameter(&given::pool_cache), MAX_CACHE)?,
            reserve: bounded("pool_reserve", parameter(&given::pool_reserve), MAX_RESERVE)?,
            emergency: parameter(&given::pool_emergency),
            place: Place::Any,
        },
        prime: bounded(
            "prime",
            parameter(&given::prime),
            parameter(&given::pool_cache) as usize,
        )?,
        plans: [
            plan(
                Context::TimerSoftirq,
                parameter(&given::timer_softirq_start),
                [
                    parameter(&given::timer_softirq_period_us),
                    parameter(&given::timer_softirq_batch),
                    parameter(&given::timer_softirq_hold_us),
                    parameter(&given::timer_softirq_pool),
                    parameter(&given::timer_softirq_priority),
                ],
            )?,
            plan(
                Context::Spinlock,
                parameter(&given::spinlock_start),
                [
                    parameter(&given::spinlock_period_us),
                    parameter(&given::spinlock_batch),
                    parameter(&given::spinlock_hold_us),
                    parameter(&given::spinlock_pool),
                    parameter(&given::spinlock_priority),
                ],
            )?,
            plan(
                Context::Task,
                parameter(&given::task_start),
                [
                    parameter(&given::task_period_us),
                    parameter(&given::task_batch),
                    parameter(&given::task_hold_us),
                    parameter(&given::task_pool),
                    parameter(&given::task_priority),
                ],
            )?,
            plan(
                Context::HardIrq,
                parameter(&given::hard_irq_start),
                [
                    parameter(&given::hard_irq_period_us),
                    parameter(&given::hard_irq_batch),
                    parameter(&given::hard_irq_hold_us),
                    parameter(&given::hard_irq_pool),
                    parameter(&given::hard_irq_priority),
                ],
            )?,
        ],
    })
}

fn plan(context: Context, start: u32, values: [u32; Setting::COUNT]) -> Result<Plan> {
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
        start: start_switch(context, start)?,
        settings,
    })
}

fn recording(value: u32) -> Result<Recording> {
    Recording::from_number(value.into()).inspect_err(|_| {
        let most = Recording::MAX;
        pr_err!("parameter recording={value} is out of bounds: 0 to {most}\n");
    })
}

/// A parameter that is a number of pages.
fn bounded(name: &str, value: u32, most: usize) -> Result<usize> {
    let pages = value as usize;
    if pages > most {
        pr_err!("parameter {name}={value} is out of bounds: 0 to {most}\n");
        return Err(ERANGE);
    }
    Ok(pages)
}

/// Whether an exercise starts at load.
fn start_switch(context: Context, value: u32) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => {
            let context = context.name();
            pr_err!("parameter {context}_start={value} is out of bounds: 0 to 1\n");
            Err(ERANGE)
        }
    }
}
