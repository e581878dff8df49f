// SPDX-License-Identifier: GPL-2.0

//! A pool: the tiers that serve requests for pages of one order.
//!
//! ```text
//!   get:  per-CPU cache ──► buddy, GFP_NOWAIT ──► reserve ──► buddy, GFP_ATOMIC within the budget
//!   put:  per-CPU cache ──► reserve ──► buddy
//! ```
//!
//! All slow work, above all refilling, is done by the pool manager ([`PoolManager`]) in task context.

mod counts;
mod nolock;
mod refill;

pub(crate) use counts::Counts;

use super::{
    events,
    exclusion::Exclusion,
    logic::{
        excluded::{
            Excluded,
            Zone, //
        },
        fallback::Fallback,
        page_source::PageSource,
        request::{
            Priority,
            Request,
            Tier, //
        }, //
    },
    manager::{
        PoolManager,
        RegisteredPool, //
    },
    tier::{
        buddy::Buddy,
        cache::{
            CpuCache,
            MAX_CACHE, //
        },
        emergency::Emergency,
        reserve::{
            Reserve,
            MAX_RESERVE, //
        }, //
    }, //
};
use crate::{
    ffi::{
        arch,
        context::{
            Kind,
            PlainAlloc,
            Task, //
        },
        cpu::online::possible,
        mm::{
            bad_memory,
            watermark::memory_total, //
        },
        percpu::counters::Counter,
        sync::raw_spin_lock::RawSpinLock,
        task::waker::Waker, //
    },
    page::{
        Chain,
        ExclusivePages,
        GfpNoWait,
        Place,
        Shape,
        Uninit,
        ZoneLimit,
        MAX_ORDER, //
    }, //
};
use kernel::{
    prelude::*,
    static_lock_class,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// How many single pages may be looked at, or one block of more, while a tier is kept from others.
const SEARCHED_AT_ONCE: usize = 256;

type Pages = ExclusivePages<Uninit>;

/// The configuration of a pool.
#[derive(Clone, Copy)]
pub struct PoolConfig {
    /// All allocations have 2^order pages. A "page" below stands for so many.
    pub order: u32,
    /// Whether the pages are compound pages, see [`Shape::compound`]. Pages that are put into the
    /// pool should be of the same kind.
    pub compound: bool,
    /// Pages that each CPU's cache can keep, at most 1024.
    pub cache: usize,
    /// Pages in the reserve, at most 2¹⁸ and half of the machine's memory.
    pub reserve: usize,
    /// Allocations below the min watermark that are allowed before the reserve is full again.
    pub emergency: u32,
    /// The NUMA node that pages are allocated from. The node of pages that are put into the pool is
    /// not checked.
    pub place: Place,
    /// The memory that no page may come from. If that is most of the memory, requests can fail that
    /// the rest could have served, because the allocator is not asked for ever.
    pub excluded: Excluded,
}

impl Default for PoolConfig {
    /// Single pages from any node: 64 in each CPU's cache, with neither a reserve nor a budget.
    fn default() -> Self {
        Self {
            order: 0,
            compound: false,
            cache: 64,
            reserve: 0,
            emergency: 0,
            place: Place::Any,
            excluded: Excluded::NOTHING,
        }
    }
}

impl PoolConfig {
    /// Returns the shape to ask the allocator for.
    pub(in crate::pool) fn shape(&self) -> Shape {
        Shape {
            order: self.order,
            compound: self.compound,
            zones: match self.excluded.zone_limit(arch::ZONE_STARTS) {
                Zone::Normal => ZoneLimit::None,
                Zone::Dma32 => ZoneLimit::Dma32,
                Zone::Dma => ZoneLimit::Dma,
            },
        }
    }

    /// Checks the bounds. Fails with `ERANGE` if a number exceeds its documented bounds. Fails with
    /// `ENOMEM`, and a line in the kernel log, for a reserve of more than half of the memory:
    /// refilling it would take all memory. Fails with `EINVAL`, and a line, if the only allowed
    /// node is excluded.
    fn check(&self, name: &CStr) -> Result {
        if self.order > MAX_ORDER || self.cache > MAX_CACHE || self.reserve > MAX_RESERVE {
            return Err(ERANGE);
        }
        if let Place::Only(node) = self.place {
            let node = node.number();
            if self.excluded.excludes_node(node as u32) {
                pr_err!("pool '{name}': node {node} is excluded, and no other will do\n");
                return Err(EINVAL);
            }
        }
        let (pages, most) = (self.reserve << self.order, memory_total() / 2);
        if pages > most {
            pr_err!(
                "pool '{name}': a reserve of {pages} pages ({} blocks of order {}) is more than \
                 half of the memory: at most {most} pages\n",
                self.reserve,
                self.order
            );
            return Err(ENOMEM);
        }
        Ok(())
    }
}

/// A pool of pages of one order.
#[pin_data]
pub struct Pool {
    name: CString,
    cache: CpuCache,
    buddy: Buddy<GfpNoWait>,
    #[pin]
    reserve: Reserve,
    emergency: Emergency,
    /// Pages that were given back where nothing can be freed.
    #[pin]
    returning: RawSpinLock<Chain>,
    counts: Counts,
    /// How many pages each CPU's cache is to be filled with, once.
    to_prime: Atomic<u32>,
    rests_until: Atomic<u64>,
    waker: Arc<Waker>,
    /// Checks pages that come from elsewhere than `buddy` and `emergency`.
    exclusion: Exclusion,
    /// Pages of this order are taken back unchecked. It is the order of the pool. If memory is
    /// excluded, and once memory has gone bad, it is no valid order, so all pages are checked. Until
    /// then the checks cost nothing.
    unlooked_order: Counter,
    /// The number of pages taken out of circulation because they had gone bad.
    poisoned: Atomic<usize>,
    /// How many searches of cache and reserve for bad pages are done. Each report needs two.
    searches: Atomic<usize>,
    config: PoolConfig,
}

impl Pool {
    /// Makes a pool for a driver, which labyrinth keeps filled. Task context only, may sleep. This
    /// does not wait for the pages ([`Self::prime`] does).
    ///
    /// The name is for reports. It has at most 31 characters: letters, digits, and any of `_-./:`.
    ///
    /// Fails with `EINVAL` for any other name, `EEXIST` for the name of another pool, `ENOSPC` if
    /// there are too many pools, and `ERANGE` and `ENOMEM` as [`PoolConfig`] says.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::prelude::*;
    /// use labyrinth::{
    ///     context::Task,
    ///     pool::{RegisteredPool, PoolConfig, Priority, Request},
    ///     Pool,
    /// };
    /// use kernel::sync::Arc;
    ///
    /// fn pool_of_a_driver(cx: &Task) -> Result<Arc<RegisteredPool>> {
    ///     let config = PoolConfig { reserve: 256, ..PoolConfig::default() };
    ///     let pool = Pool::new(cx, c"my_driver", config)?;
    ///     if let Some(pages) = pool.get(cx, &mut Request::new(Priority::High)) {
    ///         pool.put(cx, pages);
    ///     }
    ///     Ok(pool)
    /// }
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "its pool manager has it, too")]
    pub fn new(_cx: &Task, name: &CStr, config: PoolConfig) -> Result<Arc<RegisteredPool>> {
        PoolManager::published()
            .ok_or(ENODEV)?
            .pool(name, config, 0)
    }

    /// Makes an empty pool that is not kept filled. Task context only, may sleep.
    pub(super) fn unkept(
        name: CString,
        config: PoolConfig,
        waker: Arc<Waker>,
    ) -> Result<Arc<Self>> {
        config.check(&name)?;
        let shape = config.shape();
        let PoolConfig {
            cache,
            reserve,
            emergency,
            place,
            excluded,
            ..
        } = config;
        let exclusion = Exclusion::new(excluded);

        Arc::pin_init(
            try_pin_init!(Self {
                name,
                cache: CpuCache::new(cache)?,
                buddy: Buddy::new(GfpNoWait, shape, place, excluded, Tier::Buddy),
                reserve <- Reserve::new(reserve),
                emergency: Emergency::new(shape, place, excluded, emergency),
                returning <- RawSpinLock::new(
                    Chain::new(),
                    c"labyrinth_returning",
                    static_lock_class!(),
                ),
                counts: Counts::new()?,
                to_prime: Atomic::new(0),
                rests_until: Atomic::new(0),
                waker,
                unlooked_order: Counter::new(if exclusion.is_open() {
                    config.order.into()
                } else {
                    u64::MAX
                }),
                poisoned: Atomic::new(0),
                searches: Atomic::new(0),
                exclusion,
                config,
            }? Error),
            GFP_KERNEL,
        )
    }

    /// Returns the name in reports. Any context.
    pub fn name(&self) -> &CStr {
        &self.name
    }

    /// Returns the configuration that it was made with. Any context.
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// Returns the per-CPU cache, for reports. Any context.
    pub fn cache(&self) -> &CpuCache {
        &self.cache
    }

    /// Returns the reserve, for reports. Any context.
    pub fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// Returns the tier that uses the kernel's emergency reserve. Any context.
    pub fn emergency(&self) -> &Emergency {
        &self.emergency
    }

    /// Returns how many excluded blocks were refused. Any context.
    pub fn excluded_met(&self) -> u64 {
        self.exclusion.met() + self.buddy.excluded_met() + self.emergency.excluded_met()
    }

    /// Returns how many pages were taken out of circulation because they had gone bad. Any context.
    pub fn poisoned(&self) -> usize {
        self.poisoned.load(Relaxed)
    }

    /// Returns the counters. Any context.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Hands out pages, or returns `None` if no tier has any for this request. Afterwards the
    /// request says which tiers were asked.
    ///
    /// Contexts: those of `GFP_ATOMIC`. These are task and softirq context and under a
    /// `spinlock_t`; except on PREEMPT_RT, also with interrupts disabled. Never in NMI.
    #[inline]
    pub fn get<C: PlainAlloc>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        // Every call here is the last thing done, so a hit has no registers to save. The cache is
        // noted here, and not by the cache itself, so that the compiler merges this store with
        // those that make the request: it would not do so across the look that comes between.
        request.enter(Tier::Cache);
        if bad_memory::known() {
            return self.get_good(cx, request);
        }
        let Some(pages) = self.cache.get_noted(cx) else {
            return self.get_beyond(cx, request);
        };
        if events::answered_listened_to() {
            return self.hit_traced::<C>(pages);
        }
        Some(pages)
    }

    /// As [`Self::get`], once memory has gone bad.
    #[cold]
    #[inline(never)]
    fn get_good<C: PlainAlloc>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        match self.cache.get_good(cx, request) {
            None => self.get_beyond(cx, request),
            Some(pages) => self.hit_traced::<C>(pages),
        }
    }

    #[cold]
    #[inline(never)]
    fn hit_traced<C: PlainAlloc>(&self, pages: Pages) -> Option<Pages> {
        self.answered::<C>(&Request::served_by(Tier::Cache), Some(&pages));
        Some(pages)
    }

    #[inline(always)]
    fn answered<C: PlainAlloc>(&self, request: &Request, pages: Option<&Pages>) {
        events::answered::<C>(&self.name, self.config.order, request, pages);
    }

    /// Hands out up to `wanted` pages, passes each to `sink` and returns how many there were.
    ///
    /// Contexts: those of [`Self::get`]. The cache and the allocator are asked for many pages at a
    /// time. The reserves are asked page by page, when cache and allocator have none left.
    ///
    /// In the counters and in the trace, each wanted page is one request. When all tiers refuse one
    /// of them, the rest are not tried, and count as failed in the same way.
    pub fn get_bulk<C: PlainAlloc>(
        &self,
        cx: &C,
        priority: Priority,
        wanted: usize,
        mut sink: impl FnMut(Pages),
    ) -> usize {
        let mut request = Request::new(priority);
        let mut got = self.cache.get_bulk(cx, &mut request, wanted, |pages| {
            self.answered::<C>(&Request::served_by(Tier::Cache), Some(&pages));
            sink(pages);
        });

        if got < wanted {
            self.counts.bulk_missed(C::KIND, wanted - got);
            events::missed(&self.name, wanted - got);
            self.call_manager();
            let more = self
                .buddy
                .get_bulk(cx, &mut request, wanted - got, |pages| {
                    self.answered::<C>(&Request::served_by(Tier::Buddy), Some(&pages));
                    sink(pages);
                });
            self.counts.bulk(C::KIND, Tier::Buddy, more);
            got += more;
        }
        while got < wanted {
            let mut request = Request::new(priority);
            let Some(pages) = self.get_beyond(cx, &mut request) else {
                self.not_tried::<C>(&request, wanted - got - 1);
                break;
            };
            sink(pages);
            got += 1;
        }
        got
    }

    /// Takes pages back. Pages that are excluded, have gone bad, or have another order than the pool
    /// go to the allocator.
    ///
    /// Contexts: those in which pages may be freed. These are task and softirq context and under a
    /// `spinlock_t`; except on PREEMPT_RT, also with interrupts disabled. Never in NMI.
    #[inline]
    pub fn put<C: PlainAlloc>(&self, cx: &C, mut pages: Pages) {
        // As in `get`, nothing comes after a call in here.
        if u64::from(pages.order()) != self.unlooked_order.read() {
            return self.put_looked_at(cx, pages);
        }
        pages.uncharge();
        if events::given_back_listened_to() {
            return self.put_traced(cx, pages);
        }
        if let Err(pages) = self.cache.put(cx, pages) {
            self.put_beyond(cx, pages);
        }
    }

    /// Returns whether a tier of this pool may keep the pages. Its own pages that have gone bad are
    /// counted as released in the context `kind`.
    fn is_at_home(&self, pages: &Pages, kind: Kind) -> bool {
        if pages.order() != self.config.order || !self.exclusion.lets_in(pages) {
            return false;
        }
        if pages.is_known_bad() {
            self.counts.to_buddy(kind, 1);
            return false;
        }
        true
    }

    /// Frees pages, and counts them if they are bad. Contexts: those in which pages may be freed.
    fn release(&self, pages: Pages) {
        if pages.is_known_bad() {
            self.poisoned.add(1, Relaxed);
        }
        drop(pages);
    }

    /// Searches cache and reserve for pages that have gone bad, and frees them, which takes them
    /// out of use. Returns false if the search has to be repeated a moment later. That is so if a
    /// cache was in use, and once more in any case, for pages that were on their way in. For the
    /// refill thread only.
    ///
    /// From the first search on, pages that come back are checked.
    pub(in crate::pool) fn take_out_bad(&self) -> bool {
        let wanted = bad_memory::reports().wrapping_mul(2);
        let searches = self.searches.load(Relaxed);
        if searches == wanted {
            return true;
        }
        let (taken, done) = self.drain_unfit(Pages::is_known_bad);
        self.poisoned.add(taken, Relaxed);
        if !done {
            return false;
        }
        let again = searches != wanted - 1;
        self.searches.store(wanted - usize::from(again), Relaxed);
        !again
    }

    /// Frees the `unfit` pages in cache and reserve. Returns their number, and whether all caches
    /// could be searched. From now on, pages that come back are checked.
    fn drain_unfit(&self, unfit: impl Fn(&Pages) -> bool + Copy + Send) -> (usize, bool) {
        self.unlooked_order.set(u64::MAX);
        let at_once = (SEARCHED_AT_ONCE >> self.config.order).max(1);
        let mut done = true;
        let mut taken = self.reserve.drain_unfit(at_once, unfit);
        for cpu in possible() {
            let result = self.cache.drain_unfit(cpu, at_once, unfit);
            taken += result.unwrap_or_else(|some| {
                done = false;
                some
            });
        }
        (taken, done)
    }

    /// As [`Self::put`], for pages of another order, and if memory is excluded or has gone bad.
    #[cold]
    #[inline(never)]
    fn put_looked_at<C: PlainAlloc>(&self, cx: &C, mut pages: Pages) {
        if self.is_at_home(&pages, C::KIND) {
            pages.uncharge();
            return self.put_traced(cx, pages);
        }
        if events::given_back_listened_to() {
            events::given_back(&self.name, Tier::Buddy, pages.order(), pages.pfn());
        }
        self.release(pages);
    }

    /// As [`Self::put`], but keeps the page frame number for the tracepoint. A page in the cache
    /// can have another owner by the time that the event is reported.
    #[cold]
    #[inline(never)]
    fn put_traced<C: PlainAlloc>(&self, cx: &C, pages: Pages) {
        let pfn = pages.pfn();
        match self.cache.put(cx, pages) {
            Ok(()) => self.given_back(Tier::Cache, Some(pfn)),
            Err(pages) => self.put_beyond(cx, pages),
        }
    }

    /// `pfn` is `None` if the tracepoint is disabled.
    #[inline(always)]
    fn given_back(&self, to: Tier, pfn: Option<usize>) {
        if let Some(pfn) = pfn {
            events::given_back(&self.name, to, self.config.order, pfn);
        }
    }

    /// Wakes the refill thread. Any context.
    ///
    /// Only the waker can know whether the thread is already awake. A flag of the pool would stay
    /// set for ever if the thread were called and then skipped this pool.
    #[inline]
    fn call_manager(&self) {
        self.waker.wake();
    }
}

/// The tiers beyond the per-CPU cache. They are out of line, so that a hit does not pay for them.
impl Pool {
    #[cold]
    #[inline(never)]
    fn get_beyond<C: PlainAlloc>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        let Self {
            buddy,
            reserve,
            emergency,
            counts,
            ..
        } = self;

        let pages = Fallback(buddy, Fallback(reserve, emergency)).get(cx, request);
        counts.path(C::KIND, request, pages.is_some(), 1);
        events::steps(&self.name, request);
        self.answered::<C>(request, pages.as_ref());
        self.call_manager();
        pages
    }

    /// Counts requests that were not tried like the request `failed`.
    #[cold]
    #[inline(never)]
    fn not_tried<C: PlainAlloc>(&self, failed: &Request, requests: usize) {
        self.counts.path(C::KIND, failed, false, requests);
        if !events::misses_listened_to() {
            return;
        }
        for _ in 0..requests {
            events::steps(&self.name, failed);
            self.answered::<C>(failed, None);
        }
    }

    #[cold]
    #[inline(never)]
    fn put_beyond<C: PlainAlloc>(&self, cx: &C, pages: Pages) {
        let Self {
            buddy,
            reserve,
            counts,
            ..
        } = self;

        let pfn = events::given_back_listened_to().then(|| pages.pfn());
        match reserve.put(cx, pages) {
            Ok(()) => {
                self.given_back(Tier::Reserve, pfn);
                counts.to_reserve(C::KIND, 1);
            }
            Err(pages) => {
                self.given_back(Tier::Buddy, pfn);
                counts.to_buddy(C::KIND, 1);
                // The allocator always takes them.
                let _ = buddy.put(cx, pages);
            }
        }
    }
}
