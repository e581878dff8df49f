// SPDX-License-Identifier: GPL-2.0

//! Keeps the pools in order: refills them, shrinks them, takes out pages that have gone bad, and
//! empties the caches of CPUs that went away.
//!
//! One thread serves all pools, in turn and in bounded portions, so that a large pool does not keep
//! a small one waiting. It sleeps until a pool calls. A pool for which there is no memory rests for a
//! while, called or not, and keeps no other one waiting.

use super::{
    logic::turns::{
        Round,
        REST_US, //
    },
    pool::{
        Pool,
        PoolConfig, //
    }, //
};
use crate::ffi::{
    bad_memory::{
        BadMemory,
        Listener, //
    },
    clock::Moment,
    handles::SLOTS,
    hotplug::{
        CpuDead,
        DeadCpu,
        Hotplug, //
    },
    published::{
        Publication,
        Published, //
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
    alloc::AllocError,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// How often, a millisecond apart, a dead CPU's caches are looked at again while tasks that were moved
/// away from there are in the middle of them. They need some microseconds each, once they run.
const DEAD_TRIES: u32 = 100;

/// How many pools there can be: as many as C modules can name, and those of the wall.
const MAX_POOLS: usize = SLOTS + 8;

/// The pools and what is done for them.
///
/// The order of the fields matters: nothing is done any more when the pools go.
pub struct Keeper {
    _thread: Thread<Refill>,
    _shrinker: Shrinker<Arc<Pools>>,
    _hotplug: Hotplug<Arc<Pools>>,
    _bad_memory: BadMemory<Arc<Waker>>,
    pools: Arc<Pools>,
    waker: Arc<Waker>,
}

/// All pools.
#[pin_data]
struct Pools {
    /// With room for all that there can be. Nobody allocates with the lock held: the shrinker would find
    /// it taken.
    #[pin]
    list: Mutex<KVec<Arc<Pool>>>,
}

impl Pools {
    /// The pool at a place in the list. The lock is not held any more when this returns, as who
    /// works on a pool may reclaim memory, and reclaim comes back to [`Shrink`].
    fn at(&self, index: usize) -> Option<Arc<Pool>> {
        self.list.lock().get(index).cloned()
    }

    /// Calls `f` for each pool, without the lock and without memory of its own. When a pool goes
    /// meanwhile, `f` may miss another one.
    fn for_each(&self, mut f: impl FnMut(&Pool)) {
        let mut index = 0;
        while let Some(pool) = self.at(index) {
            f(&pool);
            index += 1;
        }
    }
}

/// The keeper of the pools of drivers.
static PUBLISHED: Published<Arc<Keeper>> = Published::new();

impl Keeper {
    /// Has drivers make their pools here ([`Pool::new`]). Task context only, may sleep. `EBUSY` if they
    /// make them elsewhere already.
    pub fn publish(self: &Arc<Self>) -> Result<Publication<Arc<Self>>> {
        PUBLISHED.publish(self.clone())
    }

    /// The keeper of the pools of drivers, if there is one. Any context.
    pub(super) fn published() -> Option<Arc<Self>> {
        PUBLISHED.with(Arc::clone)
    }

    /// Starts it, without pools. Task context only, may sleep.
    pub fn new() -> Result<Arc<Self>> {
        let waker = Waker::new()?;
        let list = KVec::with_capacity(MAX_POOLS, GFP_KERNEL)?;
        let pools = Arc::pin_init(
            pin_init!(Pools {
                list <- new_mutex!(list),
            }),
            GFP_KERNEL,
        )?;

        Ok(Arc::new(
            Self {
                _thread: Thread::spawn_with(
                    c"labyrinth/refill",
                    waker.clone(),
                    Refill(pools.clone()),
                )?,
                _shrinker: Shrinker::new(c"labyrinth", pools.clone())?,
                _hotplug: Hotplug::new(c"labyrinth", pools.clone())?,
                _bad_memory: BadMemory::new(waker.clone())?,
                pools,
                waker,
            },
            GFP_KERNEL,
        )?)
    }

    /// Makes a pool and has the thread fill it: the reserve, and each CPU's cache with `primed`
    /// pages. Task context only, may sleep; does not wait for the pages ([`Pool::prime`] does).
    ///
    /// `EINVAL` for a name that reports could not show, `EEXIST` for one that a pool has already,
    /// `ENOSPC` for one pool too many; `ERANGE` and `ENOMEM` as [`PoolConfig`] says.
    pub fn pool(
        self: &Arc<Self>,
        name: &CStr,
        config: PoolConfig,
        primed: usize,
    ) -> Result<Arc<KeptPool>> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:".contains(byte);
        if name.is_empty() || name.to_bytes().len() > 31 || !name.to_bytes().iter().all(plain) {
            return Err(EINVAL);
        }
        let pool = Pool::unkept(name.try_into()?, config, self.waker.clone())?;
        pool.prime_later(primed);
        let kept = Arc::new(
            KeptPool {
                pool: pool.clone(),
                keeper: self.clone(),
            },
            GFP_KERNEL,
        )?;

        // The lock is given back before an error drops `kept`, which takes it.
        let added = {
            let mut list = self.pools.list.lock();
            if list.iter().any(|other| other.name() == name) {
                Err(EEXIST)
            } else {
                list.push_within_capacity(pool).map_err(|_| ENOSPC)
            }
        };
        added?;
        self.waker.wake();
        Ok(kept)
    }

    /// All pools of this moment, each once. Task context only, may sleep. A pool that goes meanwhile
    /// keeps its pages until the answer is dropped.
    pub fn pools(&self) -> Result<KVec<Arc<Pool>>, AllocError> {
        let mut pools = KVec::new();
        loop {
            let count = {
                let list = self.pools.list.lock();
                if list.len() <= pools.capacity() {
                    for pool in list.iter() {
                        // There is room for each.
                        let _ = pools.push_within_capacity(pool.clone());
                    }
                    return Ok(pools);
                }
                list.len()
            };
            pools.reserve(count, GFP_KERNEL)?;
        }
    }
}

/// A pool that is kept filled for as long as this exists. Task context only, may sleep, to drop.
pub struct KeptPool {
    pool: Arc<Pool>,
    keeper: Arc<Keeper>,
}

impl KeptPool {
    /// Who keeps it.
    pub fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }
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
        self.keeper
            .pools
            .list
            .lock()
            .retain(|pool| !Arc::ptr_eq(pool, &self.pool));
        // The pools after this one have moved down, so a round that is under way misses one of
        // them, which may be the one that called.
        self.keeper.waker.wake();
    }
}

/// The thread.
struct Refill(Arc<Pools>);

impl Body for Refill {
    fn run(&mut self, thread: &mut Running) {
        let start = Moment::now();
        let now = || Moment::now().nanos_since(start) / 1000;

        loop {
            let mut round = Round::default();
            let cx = &*thread.context();

            self.0.for_each(|pool| {
                // Also that of a pool for which there is no memory now.
                pool.free_returned();
                if !pool.take_out_bad() {
                    round.due(now() + REST_US);
                }
                let rest = round.turn(pool.rests_until(), now, || pool.refill(cx));
                pool.set_rests_until(rest);
            });
            let wish = match round.next() {
                None => thread.sleep_until_woken(),
                Some(next) => thread.sleep_until_woken_or(next.saturating_sub(now()) as u32),
            };
            if wish == Wish::Stop {
                return;
            }
        }
    }
}

impl Listener for Arc<Waker> {
    /// Makes the thread look for the page.
    fn reported(&self) {
        self.wake();
    }
}

impl Shrink for Arc<Pools> {
    /// The memory in all caches, in pages of the kernel: it is to take no more from a pool of large blocks
    /// than from others. The reserves do not count: they are never given back.
    fn count(&self) -> usize {
        let Some(list) = self.list.try_lock() else {
            return 0;
        };
        list.iter()
            .map(|pool| (pool.cache().level() as usize) << pool.config().order)
            .sum()
    }

    /// Gives blocks of the caches of all CPUs back, as many as make up so many pages of the kernel.
    fn scan(&self, wanted: usize) -> usize {
        let Some(list) = self.list.try_lock() else {
            return 0;
        };
        let mut freed: usize = 0;
        for pool in list.iter() {
            // The last block may be more than what was wanted.
            let order = pool.config().order;
            let blocks = wanted.saturating_sub(freed).div_ceil(1 << order);
            freed += pool.cache().shrink(blocks) << order;
        }
        freed
    }
}

impl CpuDead for Arc<Pools> {
    fn dead(&self, cpu: &mut DeadCpu<'_>) {
        let mut tries = 0;
        // With the lock: a pool that is missed keeps these pages until the CPU comes back.
        for pool in self.list.lock().iter() {
            while pool.cache().drain(cpu.number(), usize::MAX).is_err() && tries < DEAD_TRIES {
                fsleep(Delta::from_millis(1));
                tries += 1;
            }
        }
    }
}
