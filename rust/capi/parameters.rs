// SPDX-License-Identifier: GPL-2.0

//! Checks the parameters of a pool.

use crate::{
    ffi::exports::Parameters,
    page::Place,
    pool::{
        AutoReserve,
        Excluded,
        PoolConfig, //
    }, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};

/// The longest name of a pool, in bytes.
const MAX_NAME: usize = 31;

/// Checks the parameters. Fails with `EINVAL` for the name, and with `ERANGE` for a number. The
/// kernel log then says what is wrong.
pub(super) fn check<'a>(given: &Parameters<'a>) -> Result<(&'a CStr, PoolConfig)> {
    let Some(name) = given.name else {
        pr_err!("a pool needs a name, not NULL\n");
        return Err(EINVAL);
    };
    let bytes = name.to_bytes();
    let plain = |&byte: &u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);

    if bytes.is_empty() || bytes.len() > MAX_NAME || !bytes.iter().all(plain) {
        pr_err!(
            "the name of a pool is 1 to {MAX_NAME} letters, digits or any of _-.:/, not '{name}'\n"
        );
        return Err(EINVAL);
    }
    let excluded = match given.highest {
        0 => Excluded::NOTHING,
        highest => Excluded::NOTHING.above(highest),
    };
    let config = PoolConfig {
        order: given.order,
        compound: given.compound,
        cache: given.cache as usize,
        reserve: given.reserve as usize,
        auto_reserve: given.auto_reserve.as_ref().map(|auto| AutoReserve {
            max: auto.max as usize,
            half_life_ms: match auto.half_life_ms {
                0 => AutoReserve::HALF_LIFE_MS,
                half_life_ms => half_life_ms,
            },
        }),
        emergency: given.emergency,
        place: Place::Any,
        excluded,
    };
    config.check_bounds(name)?;
    let least = (PAGE_SIZE << config.order) as u64 - 1;
    if given.highest != 0 && given.highest < least {
        let highest = given.highest;
        pr_err!("pool '{name}': highest={highest} is out of bounds: 0, or {least} or more\n");
        return Err(ERANGE);
    }
    Ok((name, config))
}
