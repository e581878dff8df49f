// SPDX-License-Identifier: GPL-2.0

//! Pools for C modules: the implementation of `include/labyrinth.h`.
//!
//! A C module names a pool by a [`Handle`] and a block by its address. Both may be wrong. A handle
//! is looked up in a table and never dereferenced. An address is accepted only if the mark of its
//! page says that the block is out (see `rust/page/transfer/foreign.rs`). So misuse is noticed,
//! counted and reported, and leaves everything as it was.
//!
//! # The end of a pool
//!
//! Blocks that are out when their pool is destroyed, or when labyrinth is unloaded, stay with the
//! modules that have them. They can still be given back as long as labyrinth is loaded.

#![forbid(unsafe_code)]

mod misuse;
mod parameters;
mod pool;

use misuse::Misuse;

use crate::{
    ffi::{
        context::{
            NoSleep,
            NoToken,
            PlainAlloc,
            Task, //
        },
        exports::{
            self,
            Caller,
            Foreign,
            FromC,
            Parameters,
            Service, //
        },
        mm::call_site::keep_lines,
        sync::handles::{
            Handle,
            Handles, //
        }, //
    },
    page::{
        detach_foreign,
        from_foreign,
        from_foreign_late,
        make_ready,
        why_not,
        Refusal, //
    },
    pool::RegisteredPool,
    stats::Registration, //
};
use kernel::{
    fmt,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};
use pool::Pool;

/// All pools of C modules.
static POOLS: Handles<Arc<Pool>> = Handles::new();

/// The handle of the shared pool, 0 while there is none.
static DEFAULT: Atomic<usize> = Atomic::new(0);

/// The pages of blocks that are out and whose pool is gone.
static ORPHANS: Atomic<i64> = Atomic::new(0);

/// The C interface while the module is loaded.
///
/// Dropping it destroys all pools, and reports the blocks that were not given back.
pub struct CApi {
    _misuse: Registration,
}

impl CApi {
    /// Lets C modules get blocks of `shared`, and make pools of their own. Task context only, may
    /// sleep. `EBUSY` if they can do so already, `ENOMEM` if there is no memory, `ENOSPC` if there
    /// are too many pools.
    pub fn new(shared: Arc<RegisteredPool>) -> Result<Self> {
        if DEFAULT.load(Relaxed) != 0 {
            return Err(EBUSY);
        }
        make_ready();
        let misuse = Registration::of_statics(&[&misuse::ROWS])?;
        let pool = POOLS.insert(Pool::new(shared)?)?;
        if DEFAULT.cmpxchg(0, pool.raw(), Relaxed).is_err() {
            POOLS.remove(pool);
            return Err(EBUSY);
        }
        Ok(Self { _misuse: misuse })
    }
}

impl Drop for CApi {
    fn drop(&mut self) {
        let default = Self::default_pool();
        DEFAULT.store(0, Relaxed);

        // No pool is made during this loop: C modules keep labyrinth loaded, so there are none now.
        for handle in POOLS.all() {
            let Some(pool) = POOLS.remove(handle) else {
                continue;
            };
            if Some(handle) != default {
                pr_err!("pool '{}' was never destroyed\n", pool.name());
            }
            report_leak(pool.out() << pool.order());
        }
        report_leak(ORPHANS.load(Relaxed));
    }
}

fn report_leak(pages: i64) {
    if pages != 0 {
        keep_lines();
        pr_err!("{pages} page(s) leaked: blocks of the C interface\n");
    }
}

/// Runs `work` with the pool of a handle from C, as [`Handles::with`] does.
#[inline]
fn with_pool<C: NoSleep, R: Send>(
    cx: &C,
    pool: exports::Pool,
    work: impl FnOnce(&C, Handle, &Arc<Pool>) -> R + Send,
) -> Option<R> {
    let handle = pool?;
    POOLS.with(handle, cx, |pool, cx| work(cx, handle, pool))
}

/// Like [`with_pool`], but reports a pool that does not exist.
#[inline]
fn with_known_pool<C: NoSleep, R: Send>(
    cx: &C,
    pool: exports::Pool,
    caller: Caller,
    work: impl FnOnce(&C, Handle, &Arc<Pool>) -> R + Send,
) -> Option<R> {
    let result = with_pool(cx, pool, work);
    if result.is_none() {
        no_pool(pool, caller);
    }
    result
}

#[cold]
fn no_pool(pool: exports::Pool, caller: Caller) {
    match pool {
        None => Misuse::Null.happened(caller, fmt!("a pool is NULL")),
        Some(_) if pool == CApi::default_pool() => {
            Misuse::NoPool.happened(caller, fmt!("a pool is labyrinth's own"));
        }
        Some(handle) if POOLS.issued(handle) => {
            Misuse::NoPool.happened(caller, fmt!("a pool has been destroyed"));
        }
        Some(_) => Misuse::NoPool.happened(caller, fmt!("a pool was never one")),
    }
}

/// Reports that `pool` has refused a block, and why.
#[cold]
fn refused(block: &FromC, handle: Handle, pool: &Pool, caller: Caller) {
    let refusal = why_not(block, handle, |handle| POOLS.issued(handle));
    let name = pool.name();
    let report = |kind: Misuse, why: fmt::Arguments<'_>| {
        kind.happened_at(
            Some(block.address()),
            caller,
            fmt!("given back to pool '{name}' {why}"),
        );
    };

    match refusal {
        Refusal::Null => report(Misuse::Null, fmt!("was NULL")),
        Refusal::Unaligned => report(Misuse::Unaligned, fmt!("was the middle of a page")),
        Refusal::NotOurs => report(Misuse::Foreign, fmt!("was what no pool has handed out")),
        Refusal::AlreadyBack => {
            report(Misuse::DoubleFree, fmt!("was a block that is back already"))
        }
        Refusal::Inside { order } => report(
            Misuse::WrongOrder,
            fmt!("was the middle of a block of order {order}"),
        ),
        Refusal::Other { owner, order } => {
            let kind = if order == pool.order() {
                Misuse::WrongPool
            } else {
                Misuse::WrongOrder
            };
            let of = |owner: &CStr| {
                report(
                    kind,
                    fmt!("was a block of pool '{owner}' and of order {order}"),
                );
            };
            let said = POOLS.with(owner, &NoToken, |owner, _| of(owner.name()));
            if said.is_none() {
                of(c"(destroyed)");
            }
        }
    }
}

impl Service for CApi {
    #[inline]
    fn default_pool() -> exports::Pool {
        Handle::from_raw(DEFAULT.load(Relaxed))
    }

    fn create(_cx: &Task, given: &Parameters<'_>) -> Result<Handle> {
        let (name, config) = parameters::check(given)?;
        // Clone the `Arc`, because the code below sleeps and the closure must not.
        let shared =
            with_pool(&NoToken, Self::default_pool(), |_, _, pool| pool.clone()).ok_or(ENODEV)?;

        // The manager says why it refuses a pool.
        let pool = Pool::new(shared.manager().pool(name, config, 0)?)?;
        POOLS.insert(pool).inspect_err(|&error| {
            if error == ENOSPC {
                pr_err!("pool '{name}': there are too many pools; destroy some\n");
            }
        })
    }

    fn destroy(_cx: &Task, pool: exports::Pool, caller: Caller) {
        // Any C module may have pages of the default pool, so it is not destroyed. No module is
        // given its handle, but the handle can be guessed.
        let removed = pool
            .filter(|_| pool != Self::default_pool())
            .and_then(|handle| POOLS.remove(handle));
        let Some(removed) = removed else {
            return no_pool(pool, caller);
        };
        let out = removed.out();

        // Blocks that were given back after the pool left the table are already subtracted here.
        ORPHANS.fetch_add(out << removed.order(), Relaxed);
        if out != 0 {
            Misuse::BlocksOut.happened(
                caller,
                fmt!(
                    "pool '{}' was destroyed with {out} of its blocks out",
                    removed.name()
                ),
            );
        }
    }

    fn prime(cx: &Task, pool: exports::Pool, per_cpu: usize, caller: Caller) -> Result {
        // As in `create`, clone the `Arc`.
        let pool =
            with_known_pool(&NoToken, pool, caller, |_, _, pool| pool.clone()).ok_or(EINVAL)?;
        pool.prime(cx, per_cpu);
        Ok(())
    }

    #[inline]
    fn alloc<C: PlainAlloc + NoSleep>(
        cx: &C,
        pool: exports::Pool,
        caller: Caller,
    ) -> Option<Foreign> {
        with_known_pool(cx, pool, caller, |cx, handle, pool| pool.get(cx, handle))?
    }

    fn alloc_bulk<C: PlainAlloc + NoSleep>(
        cx: &C,
        pool: exports::Pool,
        wanted: usize,
        caller: Caller,
        sink: impl FnMut(Foreign) + Send,
    ) -> usize {
        with_known_pool(cx, pool, caller, |cx, handle, pool| {
            pool.get_bulk(cx, handle, wanted, sink)
        })
        .unwrap_or(0)
    }

    #[inline]
    fn free<C: PlainAlloc + NoSleep>(
        cx: &C,
        pool: exports::Pool,
        block: FromC,
        caller: Caller,
    ) -> bool {
        // The closure takes the block, if it is called. Otherwise the block stays here.
        let mut given = Some(block);
        let taken = with_known_pool(cx, pool, caller, |cx, handle, pool| {
            let Some(block) = given.take() else {
                return false;
            };
            match from_foreign(block, handle, pool.form()) {
                Ok(pages) => {
                    pool.put(cx, pages);
                    true
                }
                Err(block) => {
                    refused(&block, handle, pool, caller);
                    false
                }
            }
        });
        taken.unwrap_or_else(|| {
            // This is misuse, but the block should not be lost.
            let late = given.and_then(|block| from_foreign_late(block, pool).ok());
            if let Some(pages) = &late {
                ORPHANS.fetch_sub(1 << pages.order(), Relaxed);
            }
            late.is_some()
        })
    }

    fn detach(pool: exports::Pool, block: FromC, caller: Caller) -> Option<Foreign> {
        let mut given = Some(block);
        with_known_pool(
            &NoToken,
            pool,
            caller,
            |_, handle, pool| match detach_foreign(given.take()?, handle, pool.form()) {
                Ok(pages) => {
                    pool.forget_one();
                    Some(pages)
                }
                Err(block) => {
                    refused(&block, handle, pool, caller);
                    None
                }
            },
        )?
    }

    #[cold]
    fn no_array(caller: Caller) {
        Misuse::Null.happened(caller, fmt!("an array of blocks is NULL"));
    }

    #[cold]
    fn may_not_sleep(function: &CStr, context: &CStr, caller: Caller) {
        Misuse::WrongContext.happened(
            caller,
            fmt!("{function}() sleeps, and was called {context}"),
        );
    }
}
