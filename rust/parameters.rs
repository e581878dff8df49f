// SPDX-License-Identifier: GPL-2.0

//! Reads and checks the module parameters, which `labyrinth_mod.rs` declares.

#![forbid(unsafe_code)]

use crate::{
    device::MAX_USER_PAGES,
    exercise::{
        self,
        exercises,
        settings,
        Plan,
        Setting,
        Settings, //
    },
    module_parameters as given, //
};
use kernel::{
    macros::paste,
    page::PAGE_SIZE,
    prelude::*, //
};
use labyrinth::{
    compat::parameter,
    pool::{
        AutoReserve,
        Excluded,
        PoolConfig,
        Zone,
        MAX_CACHE,
        MAX_NODES,
        MAX_RESERVE, //
    },
    sentinel::Policy,
    stats::Recording,
    Node,
    Place, //
};

/// The module parameters.
pub(crate) struct Parameters {
    /// The recording mode. The file `recording` in debugfs changes it later.
    pub(crate) recording: Recording,
    /// The reaction to a damaged guard.
    pub(crate) sentinel: Policy,
    /// The pool of the exercises and of callers without a pool of their own.
    pub(crate) pool: PoolConfig,
    /// The number of pages that each CPU's cache of that pool is filled with at load.
    pub(crate) prime: usize,
    /// The number of pages that processes can have mapped at a time.
    pub(crate) user_pages: u32,
    /// The plans of the exercises, in the order of [`exercise::ALL`].
    pub(crate) plans: [Plan; exercise::COUNT],
}

/// Reads the settings of one exercise, without checking them.
macro_rules! values {
    ([$($setting:ident: $_variant:ident $_bounds:tt = $_default:tt, $_text:tt;)*] $name:ident) => {
        paste! { [$(parameter(&given::[<$name _ $setting>])),*] }
    };
}

/// Reads and checks the plans of all exercises.
macro_rules! plans {
    ($($name:ident: $_type:ident, $_start:tt;)*) => {
        [$(plan(
            stringify!($name),
            paste! { parameter(&given::[<$name _start>]) },
            settings!(values $name),
        )?),*]
    };
}

/// Reads and checks all parameters. `ERANGE` if one is out of bounds, `ENODEV` if there is no such
/// node. The kernel log names the parameter.
pub(crate) fn read() -> Result<Parameters> {
    Ok(Parameters {
        recording: recording(parameter(&given::recording))?,
        sentinel: sentinel(parameter(&given::sentinel))?,
        pool: PoolConfig {
            order: 0,
            compound: false,
            cache: bounded("pool_cache", parameter(&given::pool_cache), MAX_CACHE)?,
            reserve: bounded("pool_reserve", parameter(&given::pool_reserve), MAX_RESERVE)?,
            auto_reserve: auto_reserve()?,
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
        plans: exercises!(plans),
    })
}

fn plan(name: &str, start: u32, values: [u32; Setting::COUNT]) -> Result<Plan> {
    let settings = Settings::new(values).map_err(|setting: Setting| {
        pr_err!(
            "parameter {name}_{}={} is out of bounds: {} to {}\n",
            setting.name(),
            values[setting as usize],
            setting.bounds().start(),
            setting.bounds().end()
        );
        ERANGE
    })?;

    Ok(Plan {
        start: switch(name, "_start", start)?,
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

/// Returns the place that `pool_node` and `pool_node_only` choose. `ENODEV` if the node is not
/// online.
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

/// The bounds and the pace of a reserve that sizes itself, or `None` if its size is fixed. Fails with
/// `ERANGE`.
fn auto_reserve() -> Result<Option<AutoReserve>> {
    let half_life_ms = parameter(&given::pool_reserve_half_life_ms);
    let shortest = AutoReserve::MIN_HALF_LIFE_MS;
    if half_life_ms < shortest {
        pr_err!(
            "parameter pool_reserve_half_life_ms={half_life_ms} is out of bounds: {shortest} or more\n"
        );
        return Err(ERANGE);
    }
    let max = bounded(
        "pool_reserve_max",
        parameter(&given::pool_reserve_max),
        MAX_RESERVE,
    )?;
    let least = parameter(&given::pool_reserve) as usize;
    if max == 0 {
        return Ok(None);
    }
    if max < least {
        pr_err!(
            "parameter pool_reserve_max={max} is below pool_reserve={least}, the least size: \
             raise the first or lower the second\n"
        );
        return Err(ERANGE);
    }
    Ok(Some(AutoReserve { max, half_life_ms }))
}

/// Checks a parameter that is a number of pages.
fn bounded(name: &str, value: u32, most: usize) -> Result<usize> {
    let pages = value as usize;
    if pages > most {
        pr_err!("parameter {name}={value} is out of bounds: 0 to {most}\n");
        return Err(ERANGE);
    }
    Ok(pages)
}

/// Checks a parameter that is 0 or 1. Its name is `prefix` and `name`.
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
