// SPDX-License-Identifier: GPL-2.0

//! The module parameters, checked.
//!
//! They are declared in `labyrinth_mod.rs`, by the `module!` macro.

#![forbid(unsafe_code)]

use crate::{
    device::MAX_USER_PAGES,
    exercise::{
        Plan,
        Setting,
        Settings, //
    },
    module_parameters as given, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};
use labyrinth::{
    compat::parameter,
    pool::{
        Excluded,
        PoolConfig,
        Zone,
        MAX_CACHE,
        MAX_NODES,
        MAX_RESERVE, //
    },
    sentinel::Policy,
    stats::{
        Context,
        Recording, //
    },
    Node,
    Place, //
};

/// What the module was told when it was loaded.
pub(crate) struct Parameters {
    /// What is recorded from the start.
    pub(crate) recording: Recording,
    /// What is done about a damaged guard.
    pub(crate) sentinel: Policy,
    /// The pool of the exercises and of callers without a pool of their own.
    pub(crate) pool: PoolConfig,
    /// Pages that each CPU's cache of that pool is filled with at load.
    pub(crate) prime: usize,
    /// Pages that processes can have mapped at a time.
    pub(crate) user_pages: u32,
    /// The exercises, in the order of [`Context::ALL`].
    pub(crate) plans: [Plan; 4],
}

/// Reads and checks all parameters. `ERANGE` for one that is out of bounds, `ENODEV` for a node
/// that is not there; either is named in the kernel log.
pub(crate) fn read() -> Result<Parameters> {
    Ok(Parameters {
        recording: recording(parameter(&given::recording))?,
        sentinel: sentinel(parameter(&given::sentinel))?,
        pool: PoolConfig {
            order: 0,
            compound: false,
            cache: bounded("pool_cache", parameter(&given::pool_cache), MAX_CACHE)?,
            reserve: bounded("pool_reserve", parameter(&given::pool_reserve), MAX_RESERVE)?,
            emergency: parameter(&given::pool_emergency),
            place: place(
                parameter(&given::pool_node),
                switch("pool_", "node_only", parameter(&given::pool_node_only))?,
            )?,
            excluded: excluded()?,
        },
        prime: bounded(
            "prime",
            parameter(&given::prime),
            parameter(&given::pool_cache) as usize,
        )?,
        user_pages: bounded("user_pages", parameter(&given::user_pages), MAX_USER_PAGES)? as u32,
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
                    parameter(&given::timer_softirq_guard),
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
                    parameter(&given::spinlock_guard),
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
                    parameter(&given::task_guard),
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
                    parameter(&given::hard_irq_guard),
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
        start: switch(context.name(), "_start", start)?,
        settings,
    })
}

fn recording(value: u32) -> Result<Recording> {
    Recording::from_number(value.into()).inspect_err(|_| {
        let most = Recording::MAX;
        pr_err!("parameter recording={value} is out of bounds: 0 to {most}\n");
    })
}

fn sentinel(value: u32) -> Result<Policy> {
    Policy::from_number(value.into()).inspect_err(|_| {
        let most = Policy::MAX;
        pr_err!("parameter sentinel={value} is out of bounds: 0 to {most}\n");
    })
}

/// The place that `pool_node` and `pool_node_only` name. `ENODEV` for a node that is not online.
fn place(node: i32, only: bool) -> Result<Place> {
    if node == -1 {
        return Ok(Place::Any);
    }
    let node = Node::new(node)
        .inspect_err(|_| pr_err!("parameter pool_node={node}: there is no such node online\n"))?;
    Ok(if only {
        Place::Only(node)
    } else {
        Place::Near(node)
    })
}

/// The memory that the `pool_` parameters exclude. Fails with `EINVAL` for a range that ends before
/// it begins, and with `ERANGE` if a parameter is out of bounds.
fn excluded() -> Result<Excluded> {
    let highest = parameter(&given::pool_highest);
    if highest < PAGE_SIZE as u64 - 1 {
        pr_err!("parameter pool_highest={highest} is out of bounds: no page ends there\n");
        return Err(ERANGE);
    }
    let mut excluded = Excluded::NOTHING.above(highest);

    let zones = parameter(&given::pool_excluded_zones);
    if zones > 6 {
        pr_err!("parameter pool_excluded_zones={zones} is out of bounds: 0 to 6\n");
        return Err(ERANGE);
    }
    for zone in Zone::ALL {
        if zones & 1 << zone as u32 != 0 {
            excluded = excluded.zone(zone);
        }
    }
    let (start, end) = (
        parameter(&given::pool_excluded_start),
        parameter(&given::pool_excluded_end),
    );
    if (start, end) != (0, 0) {
        excluded = excluded.range(start..end).map_err(|_| {
            pr_err!("parameter pool_excluded_end={end} is not above pool_excluded_start={start}\n");
            EINVAL
        })?;
    }
    let nodes = parameter(&given::pool_excluded_nodes);
    for node in (0..MAX_NODES).filter(|node| nodes >> node & 1 != 0) {
        excluded = excluded.node(node).map_err(|_| EINVAL)?;
    }
    Ok(excluded)
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

/// A parameter that is 0 or 1, and whose name has two parts.
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
