// SPDX-License-Identifier: GPL-2.0

//! Tests of reserves that size themselves. The host tests have more cases of the rule.

use super::task::in_task;
use crate::{
    ffi::mm::watermark::memory_total,
    page::{
        Place,
        Usable,
        ZoneLimit, //
    },
    pool::{
        AutoReserve,
        Pool,
        PoolConfig, //
    }, //
};
use kernel::{
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

#[kunit_tests(labyrinth_auto_reserve)]
mod tests {
    use super::*;

    /// A machine that runs tests has free memory or page cache, and no more than all memory.
    #[test]
    fn usable_memory_is_part_of_all() {
        for zones in [ZoneLimit::None, ZoneLimit::Dma32, ZoneLimit::Dma] {
            let usable = Usable::now(Place::Any, zones);
            assert!(usable.above_min < memory_total());
            assert!(usable.at_once < memory_total());
            assert!(usable.reclaimable < memory_total());
        }
        let all = Usable::now(Place::Any, ZoneLimit::None);
        assert!(all.above_min + all.reclaimable > 0);
    }

    /// The refill thread fills the reserve up to its least size. Without requests it stays there.
    #[test]
    fn starts_at_its_least() -> Result {
        in_task(|thread| {
            let config = PoolConfig {
                reserve: 16,
                auto_reserve: Some(AutoReserve {
                    max: 1024,
                    half_life_ms: AutoReserve::MIN_HALF_LIFE_MS,
                }),
                ..PoolConfig::default()
            };
            let pool = Pool::new(thread.context(), c"kunit_auto", config)?;
            for _ in 0..1000 {
                if pool.reserve().level() == 16 {
                    break;
                }
                fsleep(Delta::from_millis(10));
            }
            fsleep(Delta::from_millis(
                2 * i64::from(AutoReserve::MIN_HALF_LIFE_MS),
            ));
            let now = (pool.reserve().level(), pool.reserve().target().pages());
            if now == (16, 16) {
                Ok(())
            } else {
                Err(EINVAL)
            }
        })
    }
}
