// SPDX-License-Identifier: GPL-2.0

//! labyrinth's peers: the pool tier by tier, and blocks of pages.

use super::peers::Peer;
use kernel::{
    prelude::*,
    sync::Arc,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
use labyrinth::{
    __lab::{
        fill_reserve,
        take_from_reserve, //
    },
    context::{
        with_task,
        Kind,
        PlainAlloc, //
    },
    cpu::HotplugGuard,
    percpu::CpuCell,
    pool::{
        Excluded,
        PoolConfig,
        Priority,
        RegisteredPool,
        Request,
        Tier, //
    },
    ExclusivePages,
    GfpAtomic,
    GfpNoLock,
    Place,
    Pool,
    Uninit, //
};

type Pages = ExclusivePages<Uninit>;

/// Makes a pool. Fills its reserve, and the cache of each online CPU with `primed` pages. Task
/// context only, sleeps. Fails with `ENOMEM` if that takes longer than a second.
pub(super) fn full_pool(
    order: u32,
    cache: usize,
    primed: usize,
    reserve: usize,
) -> Result<Arc<RegisteredPool>> {
    let config = PoolConfig {
        order,
        compound: false,
        cache,
        reserve,
        auto_reserve: None,
        emergency: 0,
        place: Place::Any,
        excluded: Excluded::NOTHING,
    };
    let pool = with_task(|cx| Pool::new(cx, c"bench", config))??;

    for _ in 0..1000 {
        let cached = with_task(|cx| {
            // If a cache is in use at that moment, its pages stay there.
            pool.prime(cx, primed);
            HotplugGuard::new(cx)
                .online()
                .all(|cpu| pool.cache().level_of(cpu.number()) >= primed)
        })?;
        if cached && pool.reserve().level() >= reserve {
            return Ok(pool);
        }
        fsleep(Delta::from_millis(1));
    }
    Err(ENOMEM)
}

/// Makes an ordinary request.
#[inline(always)]
fn normal() -> Request {
    Request::new(Priority::Normal)
}

/// Gets `ops` pages in batches that fill `items`, and gives each batch back. `get` returns how many
/// pages it got. Returns whether all batches were full.
#[inline(always)]
fn in_batches(
    ops: usize,
    items: &mut KVec<Pages>,
    get: impl Fn(&mut KVec<Pages>) -> usize,
    put: impl Fn(&mut KVec<Pages>),
) -> bool {
    let batch = items.capacity();
    let mut left = ops;

    while left >= batch {
        let got = get(items);
        put(items);
        if got < batch {
            return false;
        }
        left -= batch;
    }
    true
}

/// Blocks of the page allocator, as [`ExclusivePages`].
pub(super) struct Exclusives(u32);

impl Peer for Exclusives {
    const NAME: &'static str = "exclusive_pages";
    const MAX_ORDER: u32 = 9;
    type Item = Pages;

    fn prepare(order: u32, _batch: usize) -> Result<Self> {
        Ok(Self(order))
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Pages> {
        ExclusivePages::alloc(cx, GfpAtomic, self.0, Place::Any).ok()
    }
}

/// Many pages at once from the page allocator, as [`ExclusivePages`].
pub(super) struct ExclusiveBulk;

impl Peer for ExclusiveBulk {
    const NAME: &'static str = "exclusive_bulk";
    type Item = Pages;

    fn prepare(_order: u32, _batch: usize) -> Result<Self> {
        Ok(Self)
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Pages> {
        let mut page = None;
        ExclusivePages::alloc_bulk(cx, GfpAtomic, 1, |one| page = Some(one));
        page
    }

    #[inline]
    fn batch<C: PlainAlloc>(&mut self, cx: &C, ops: usize, items: &mut KVec<Pages>) -> bool {
        let get = |items: &mut KVec<Pages>| {
            let batch = items.capacity();
            ExclusivePages::alloc_into(cx, GfpAtomic, batch, items)
        };
        in_batches(ops, items, get, KVec::clear)
    }
}

/// The minimum that a driver could write itself: a stack for each CPU, without counters or other
/// sources.
pub(super) struct StackAlone(CpuCell<KVec<Pages>, ()>);

impl Peer for StackAlone {
    const NAME: &'static str = "cpu_stack";
    type Item = Pages;

    fn prepare(_order: u32, batch: usize) -> Result<Self> {
        let stack = || Ok((KVec::with_capacity(2 * batch, GFP_KERNEL)?, ()));
        Ok(Self(CpuCell::new(stack)?))
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Pages> {
        match self.0.with(|stack, ()| stack.pop()).flatten() {
            None => Self::first(cx),
            pages => pages,
        }
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, _: &C, pages: Pages) {
        let mut pages = Some(pages);
        self.0.with(|stack, ()| {
            if let Some(given) = pages.take() {
                // There is space, as the pages came from this stack.
                drop(stack.push_within_capacity(given));
            }
        });
        drop(pages);
    }
}

impl StackAlone {
    /// Allocates the pages that the stack keeps from then on. The stack is empty at first.
    #[cold]
    #[inline(never)]
    fn first<C: PlainAlloc>(cx: &C) -> Option<Pages> {
        ExclusivePages::alloc(cx, GfpAtomic, 0, Place::Any).ok()
    }
}

/// A pool whose per-CPU cache always has pages (`CACHED`), or one without a cache or reserve.
#[derive(Clone)]
pub(super) struct Single<const CACHED: bool>(Arc<RegisteredPool>);

/// The hit path.
pub(super) type Hit = Single<true>;

/// All tiers, down to the page allocator and back.
pub(super) type Miss = Single<false>;

impl<const CACHED: bool> Peer for Single<CACHED> {
    const NAME: &'static str = if CACHED { "pool_hit" } else { "pool_miss" };
    const MAX_ORDER: u32 = if CACHED { 9 } else { 0 };
    type Item = Pages;

    fn prepare(order: u32, batch: usize) -> Result<Self> {
        let (cache, primed) = if CACHED { (2 * batch, batch) } else { (0, 0) };
        Ok(Self(full_pool(order, cache, primed, 0)?))
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Pages> {
        self.0.get(cx, &mut normal())
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, cx: &C, pages: Pages) {
        self.0.put(cx, pages);
    }

    /// Requests are turned away if their CPU's cache is in use or empty.
    fn turned_away(&self) -> Option<(u64, u64)> {
        if !CACHED {
            return None;
        }
        let away = |kind| self.0.missed(kind, Tier::Cache);
        let served = |kind| self.0.served(kind, Tier::Cache);
        let away: u64 = Kind::ALL.into_iter().map(away).sum();
        let served: u64 = Kind::ALL.into_iter().map(served).sum();
        Some((away, away + served))
    }
}

/// The reserve of a pool alone.
#[derive(Clone)]
pub(super) struct ReserveAlone(Arc<RegisteredPool>);

impl Peer for ReserveAlone {
    const NAME: &'static str = "pool_reserve";
    type Item = Pages;

    fn prepare(order: u32, batch: usize) -> Result<Self> {
        Ok(Self(full_pool(order, 0, 0, batch)?))
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, _: &C) -> Option<Pages> {
        take_from_reserve(&self.0, &normal())
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, _: &C, pages: Pages) {
        // The pages came from the reserve, so it has space for them.
        drop(fill_reserve(&self.0, pages));
    }
}

/// A pool with empty caches whose allocator refuses, so that all requests go to its reserve.
#[derive(Clone)]
pub(super) struct Refused(Arc<RegisteredPool>);

impl Peer for Refused {
    const NAME: &'static str = "pool_refused";
    type Item = Pages;

    fn prepare(_order: u32, batch: usize) -> Result<Self> {
        // With `GfpNoLock` the allocator has no blocks of two pages.
        Ok(Self(full_pool(1, 0, 0, batch)?))
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Pages> {
        self.0.get_with(cx, GfpNoLock, &mut normal())
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, cx: &C, pages: Pages) {
        self.0.put_with(cx, GfpNoLock, pages);
    }
}

/// Many pages at once from the same pools.
pub(super) struct Bulk<const CACHED: bool>(Single<CACHED>);

impl<const CACHED: bool> Peer for Bulk<CACHED> {
    const NAME: &'static str = if CACHED {
        "pool_bulk_hit"
    } else {
        "pool_bulk_miss"
    };
    type Item = Pages;

    fn prepare(order: u32, batch: usize) -> Result<Self> {
        Ok(Self(Single::prepare(order, batch)?))
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Pages> {
        self.0.get(cx)
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, cx: &C, pages: Pages) {
        self.0.put(cx, pages);
    }

    #[inline]
    fn batch<C: PlainAlloc>(&mut self, cx: &C, ops: usize, items: &mut KVec<Pages>) -> bool {
        let pool = &self.0 .0;
        let get = |items: &mut KVec<Pages>| pool.get_into(cx, Priority::Normal, items);
        in_batches(ops, items, get, |items| {
            pool.put_bulk(cx, items.drain_all())
        })
    }
}
