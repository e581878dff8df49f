// SPDX-License-Identifier: GPL-2.0

//! A test that the C interface belongs to labyrinth's own module.

use super::task::in_task;
use crate::{
    capi::CApi,
    pool::{
        Pool,
        PoolConfig, //
    }, //
};
use kernel::prelude::*;

#[kunit_tests(labyrinth_capi)]
mod tests {
    use super::*;

    #[test]
    fn nobody_replaces_the_default_pool() -> Result {
        in_task(|thread| {
            let pool = Pool::new(thread.context(), c"kunit", PoolConfig::default())?;
            match CApi::new(pool) {
                Err(error) if error == EBUSY => Ok(()),
                _ => Err(EINVAL),
            }
        })
    }
}
