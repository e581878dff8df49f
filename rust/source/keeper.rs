// SPDX-License-Identifier: GPL-2.0

//! What keeps the pools in order: refills them, shrinks them, and empties the caches of CPUs that
//! went away.
//!
//! One thread serves all pools, in turn and in bounded portions, so that a large pool does not keep
//! a small one waiting. It sleeps until a pool calls.

use super::pool::{
    Pool,
    PoolConfig,
    Refilled, //
};
use crate::ffi::{
    hotplug::{
        CpuDead,
        DeadCpu,
        Hotplug, //
    },
    shrinker::{
        Shrink,
        Shrinker, //
    },
    thread::{
        Body,
        Running,
        Thread,
        Wish, //
    },
    waker::Waker, //
};
use core::ops::Deref;
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

/// How long the thread waits before it asks for memory again that was not to be had, in
/// microseconds.
const STARVED_US: u32 = 10_000;

/// The pools and what is done for them.
///
/// The order of the fields matters: nothing is done any more when the pools go.
pub(crate) struct Keeper {
    _thread: Thread<Refill>,
    _shrinker: Shrinker<Arc<Pools>>,
    _hotplug: Hotplug<Arc<Pools>>,
    pools: Arc<Pools>,
    waker: Arc<Waker>,
}

/// All pools.
#[pin_data]
struct Pools {
    #[pin]
    list: Mutex<KVec<Arc<Pool>>>,
}

impl Pools {
    /// The pool at a place in the list. The lock is not held any more when this returns, as who
    /// works on a pool may reclaim memory, and reclaim comes back to [`Shrink`].
    fn at(&self, index: usize) -> Option<Arc<Pool>> {
        self.list.lock().get(index).cloned()
    }
}

impl Keeper {
    /// Starts it, without pools. Task context only, may sleep.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let pools = Arc::pin_init(
            pin_init!(Pools {
                list <- new_mutex!(KVec::new()),
            }),
            GFP_KERNEL,
        )?;
        let waker = Waker::new()?;

        Ok(Arc::new(
            Self {
                _thread: Thread::spawn_with(
                    c"labyrinth/refill",
                    waker.clone(),
                    Refill(pools.clone()),
                )?,
                _shrinker: Shrinker::new(c"labyrinth", pools.clone())?,
                _hotplug: Hotplug::new(c"labyrinth", pools.clone())?,
                pools,
                waker,
            },
            GFP_KERNEL,
        )?)
    }

    /// Makes a pool and has the thread fill it: the reserve, and each CPU's cache with `primed`
    /// pages. Task context only, may sleep; does not wait for the pages ([`Pool::prime`] does).
    ///
    /// `EINVAL` for a name that reports could not show.
    pub(crate) fn pool(
        self: &Arc<Self>,
        name: &CStr,
        config: PoolConfig,
        primed: usize,
    ) -> Result<Arc<KeptPool>> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:".contains(byte);
        if name.is_empty() || name.to_bytes().len() > 31 || !name.to_bytes().iter().all(plain) {
            return Err(EINVAL);
        }
        let pool = Pool::new(name.try_into()?, config, self.waker.clone())?;
        pool.prime_later(primed);
        let kept = Arc::new(
            KeptPool {
                pool: pool.clone(),
                keeper: self.clone(),
            },
            GFP_KERNEL,
        )?;

        self.pools.list.lock().push(pool, GFP_KERNEL)?;
        self.waker.wake();
        Ok(kept)
    }

    /// Calls `f` for each pool. Task context only, may sleep; `f` may, too.
    pub(crate) fn for_each(&self, mut f: impl FnMut(&Pool)) {
        let mut index = 0;
        while let Some(pool) = self.pools.at(index) {
            f(&pool);
            index += 1;
        }
    }
}

/// A pool that is kept filled for as long as this exists. Task context only, may sleep, to drop.
pub(crate) struct KeptPool {
    pool: Arc<Pool>,
    keeper: Arc<Keeper>,
}

impl Deref for KeptPool {
    type Target = Pool;

    #[inline(always)]
    fn deref(&self) -> &Pool {
        &self.pool
    }
}

impl Drop for KeptPool {
    fn drop(&mut self) {
        let mut list = self.keeper.pools.list.lock();
        list.retain(|pool| !Arc::ptr_eq(pool, &self.pool));
    }
}

/// The thread.
struct Refill(Arc<Pools>);

impl Body for Refill {
    fn run(&mut self, thread: &mut Running) {
        loop {
            let (mut partly, mut starved) = (false, false);
            let mut index = 0;

            while let Some(pool) = self.0.at(index) {
                match pool.refill(thread.context()) {
                    Refilled::Full => {}
                    Refilled::Partly => partly = true,
                    Refilled::Starved => starved = true,
                }
                index += 1;
            }
            let wish = if starved {
                thread.sleep_us(STARVED_US)
            } else if partly {
                thread.sleep_us(0)
            } else {
                thread.sleep_until_woken()
            };
            if wish == Wish::Stop {
                return;
            }
        }
    }
}

impl Shrink for Arc<Pools> {
    /// The pages in all caches. The reserves do not count: they are never given back.
    fn count(&self) -> usize {
        let Some(list) = self.list.try_lock() else {
            return 0;
        };
        list.iter().map(|pool| pool.cache().level() as usize).sum()
    }

    /// Gives pages of this CPU's caches back, whoever's they are.
    fn scan(&self, wanted: usize) -> usize {
        let Some(list) = self.list.try_lock() else {
            return 0;
        };
        let mut freed = 0;
        for pool in list.iter() {
            freed += pool.shrink_here(wanted - freed);
        }
        freed
    }
}

impl CpuDead for Arc<Pools> {
    fn dead(&self, cpu: &mut DeadCpu<'_>) {
        let mut index = 0;
        while let Some(pool) = self.at(index) {
            pool.cache().drain_dead(cpu);
            index += 1;
        }
    }
}
