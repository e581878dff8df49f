// SPDX-License-Identifier: GPL-2.0

//! The pool manager: refills pools, shrinks them, takes out pages that have gone bad, and empties
//! the caches of CPUs that went offline.
//!
//! One thread serves all pools, in turn and in bounded portions, so that a large pool does not keep
//! a small one waiting. The thread sleeps until a pool calls it. It backs off from pools that it
//! cannot refill, even if they call, and serves the others meanwhile.

use super::{
    logic::schedule::{
        RefillSchedule,
        REST_US, //
    },
    tiered::{
        self,
        Pool,
        PoolConfig, //
    }, //
};
use crate::ffi::{
    cpu::hotplug::{
        CpuDead,
        DeadCpu,
        Hotplug, //
    },
    mm::{
        bad_memory::{
            BadMemory,
            Listener, //
        },
        shrinker::{
            Shrink,
            Shrinker, //
        }, //
    },
    sync::{
        handles::SLOTS,
        rcu_slot::{
            Publication,
            RcuSlot, //
        }, //
    },
    task::{
        thread::{
            Body,
            Running,
            ShouldStop,
            Thread, //
        },
        waker::Waker, //
    },
    time::clock::Moment,
    unload::{
        CallbackRegistration,
        OwnModule, //
    }, //
};
use crate::stats::Registration;
use core::ops::Deref;
use kernel::{
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

/// The number of attempts, a millisecond apart, to empty a dead CPU's cache while a task uses it.
/// The kernel has moved this task to another CPU, where it needs a few microseconds to finish.
const DEAD_TRIES: u32 = 100;

/// The maximum number of pools. All handles of C modules can be in use, and drivers in Rust can
/// have a few more pools.
const MAX_POOLS: usize = SLOTS + 8;

/// All pools, and everything that works for them.
///
/// The order of the fields matters: the pools are dropped after everything that works for them.
pub struct PoolManager {
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
    /// Its capacity is the maximum number of pools. No code allocates while it holds the lock,
    /// because reclaim calls the shrinker, which could not take the lock then.
    #[pin]
    list: Mutex<KVec<Arc<Pool>>>,
}

impl Pools {
    /// Returns the pool at an index. The lock is released before this returns, because work on a
    /// pool may reclaim memory, and reclaim calls [`Shrink`].
    fn at(&self, index: usize) -> Option<Arc<Pool>> {
        self.list.lock().get(index).cloned()
    }

    /// Calls `f` for each pool, without the lock and without allocating. If a pool is dropped
    /// meanwhile, another one may be skipped.
    fn for_each(&self, mut f: impl FnMut(&Pool)) {
        let mut index = 0;
        while let Some(pool) = self.at(index) {
            f(&pool);
            index += 1;
        }
    }
}

/// The manager of the pools of drivers.
static PUBLISHED: RcuSlot<Arc<PoolManager>> = RcuSlot::new();

impl PoolManager {
    /// Makes [`Pool::new`] use this manager. Task context only, may sleep. Fails with `EBUSY` if it
    /// uses another one.
    pub fn publish(self: &Arc<Self>) -> Result<Publication<Arc<Self>>> {
        PUBLISHED.publish(self.clone())
    }

    /// Returns the manager of the pools of drivers, if there is one. Any context.
    pub(super) fn published() -> Option<Arc<Self>> {
        PUBLISHED.with(Arc::clone)
    }

    /// Starts a manager without pools, for labyrinth's own module. Task context only, may sleep.
    /// Fails with `ENOMEM` if there is no memory, and otherwise as
    /// [`Thread::spawn`](crate::task::Thread::spawn).
    pub fn new(_own_module: OwnModule) -> Result<Arc<Self>> {
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

    /// Makes a pool. The thread then fills its reserve, and each CPU's cache with `primed` pages.
    /// Task context only, may sleep. This does not wait for the pages ([`Pool::prime`] does).
    ///
    /// Fails with `EINVAL` for an invalid name (see [`Pool::new`]), `EEXIST` for the name of
    /// another pool, `ENOSPC` if there are too many pools, `EBUSY` where [`Registration::new`]
    /// returns it, and `ERANGE` and `ENOMEM` as [`PoolConfig`] says. For all but `EBUSY` and a
    /// lack of memory, the kernel log says what is wrong.
    #[track_caller]
    pub fn pool(
        self: &Arc<Self>,
        name: &CStr,
        config: PoolConfig,
        primed: usize,
    ) -> Result<Arc<RegisteredPool>> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:".contains(byte);
        if name.is_empty() || name.to_bytes().len() > 31 || !name.to_bytes().iter().all(plain) {
            pr_err!(
                "the name of a pool is 1 to 31 letters, digits or any of _-.:/, not '{name}'\n"
            );
            return Err(EINVAL);
        }
        let pool = Pool::unkept(name.try_into()?, config, self.waker.clone())?;
        pool.cache().prime_later(primed);
        // Reports could not tell two pools of one name apart: `EEXIST`.
        let instance = ("pool", name.to_str().map_err(|_| EINVAL)?);
        let statistics = Registration::new(&tiered::TABLES, Some(instance), pool.clone())
            .inspect_err(|&error| {
                if error == EEXIST {
                    pr_err!("there is a pool '{name}' already\n");
                }
            })?;
        let kept = Arc::new(
            RegisteredPool {
                pool: pool.clone(),
                manager: self.clone(),
                _owner: CallbackRegistration::of_caller()?,
                _statistics: statistics,
            },
            GFP_KERNEL,
        )?;

        // Dropping `kept` takes the lock, so the lock must be released before an error returns.
        let added = self.pools.list.lock().push_within_capacity(pool);
        added.map_err(|_| {
            pr_err!("pool '{name}': there are too many pools; destroy some\n");
            ENOSPC
        })?;
        self.waker.wake();
        Ok(kept)
    }
}

/// A pool that is kept filled as long as this value exists. Dropping it needs task context, and may
/// sleep. Its statistics have a [`Registration`], whose rules on locks hold for making and dropping
/// a pool, too.
pub struct RegisteredPool {
    pool: Arc<Pool>,
    manager: Arc<PoolManager>,
    /// If this value is leaked, the module that made it stays loaded, and the kernel log names it.
    /// Otherwise labyrinth would stay without saying whose pool is left.
    _owner: CallbackRegistration,
    _statistics: Registration,
}

impl RegisteredPool {
    /// Returns the manager that keeps it filled. Any context.
    pub(crate) fn manager(&self) -> &Arc<PoolManager> {
        &self.manager
    }
}

impl Deref for RegisteredPool {
    type Target = Pool;

    #[inline(always)]
    fn deref(&self) -> &Pool {
        &self.pool
    }
}

impl Drop for RegisteredPool {
    fn drop(&mut self) {
        self.manager
            .pools
            .list
            .lock()
            .retain(|pool| !Arc::ptr_eq(pool, &self.pool));
        // The pools after this one have moved down by one. A round in progress may skip one of
        // them, which may have called the thread.
        self.manager.waker.wake();
    }
}

/// The refill thread.
struct Refill(Arc<Pools>);

impl Body for Refill {
    fn run(&mut self, thread: &mut Running) {
        let start = Moment::now();
        let now = || Moment::now().nanos_since(start) / 1000;

        loop {
            let mut round = RefillSchedule::default();
            let cx = &*thread.context();

            self.0.for_each(|pool| {
                // Pools that back off must be served, too: their pages are waiting to be freed.
                pool.free_returned();
                if !pool.take_out_bad() {
                    round.due(now() + REST_US);
                }
                if let Some(due) = pool.resize(now()) {
                    round.due(due);
                }
                let rest = round.turn(pool.rests_until(), now, || pool.refill(cx));
                pool.set_rests_until(rest);
                // The next burst is measured from the level after this turn.
                if let Some(due) = pool.resize(now()) {
                    round.due(due);
                }
            });
            let wish = match round.next() {
                None => thread.sleep_until_woken(),
                Some(next) => {
                    let delay = next.saturating_sub(now()).min(u32::MAX.into());
                    thread.sleep_until_woken_or(delay as u32)
                }
            };
            if wish == ShouldStop::Yes {
                return;
            }
        }
    }
}

impl Listener for Arc<Waker> {
    /// Makes the thread search for the page.
    fn reported(&self) {
        self.wake();
    }
}

impl Shrink for Arc<Pools> {
    /// Returns the memory in all caches, in pages of the kernel, so that the kernel takes no more
    /// from a pool of large blocks than from others. Reserves do not count, because they are never
    /// given back.
    fn count(&self) -> usize {
        let Some(list) = self.list.try_lock() else {
            return 0;
        };
        list.iter()
            .map(|pool| (pool.cache().level() as usize) << pool.config().order)
            .sum()
    }

    /// Frees blocks from the caches of all CPUs, until they add up to `wanted` pages of the kernel.
    fn scan(&self, wanted: usize) -> usize {
        let Some(list) = self.list.try_lock() else {
            return 0;
        };
        let mut freed: usize = 0;
        for pool in list.iter() {
            // The last block may have more pages than are still wanted.
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
        // The lock is held, because a pool that is skipped would keep these pages until the CPU
        // comes back.
        for pool in self.list.lock().iter() {
            while pool.cache().drain(cpu.number(), usize::MAX).is_err() && tries < DEAD_TRIES {
                fsleep(Delta::from_millis(1));
                tries += 1;
            }
        }
    }
}
