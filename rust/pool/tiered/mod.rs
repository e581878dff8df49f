// SPDX-License-Identifier: GPL-2.0

//! A pool: the tiers that serve requests for pages of one order.
//!
//! ```text
//!   get:  per-CPU cache ──► buddy, GFP_NOWAIT ──► reserve ──► buddy, GFP_ATOMIC within the budget
//!   put:  per-CPU cache ──► reserve ──► buddy
//! ```
//!
//! The flags of a request decide which functions of the allocator its tiers may call. With
//! [`GfpNoLock`](crate::GfpNoLock), hard interrupts and code with interrupts disabled can request
//! pages, including PREEMPT_RT:
//!
//! ```text
//!   get:  per-CPU cache ──► buddy without a lock ──► reserve
//!   put:  per-CPU cache ──► reserve ──► returning ──► the refill thread frees them
//! ```
//!
//! Such a request cannot use the kernel's emergency reserve. On PREEMPT_RT a hard interrupt gets no
//! pages from the lockless allocator either, so it has only the cache and the reserve. The same
//! holds everywhere while too many pages wait in `returning`.
//!
//! The pool manager ([`PoolManager`]) does all slow work in task context, above all refills.

mod counts;
mod refill;
mod resize;
mod returning;

pub(super) use counts::CONTEXT;
pub(super) use refill::CHUNK;

use counts::Counts;
use resize::Resizing;
use returning::Returning;

use super::{
    call::Call,
    events,
    exclusion::Exclusion,
    logic::{
        excluded::{
            Excluded,
            Zone, //
        },
        page_source::PageSource,
        request::{
            Priority,
            Request, //
        },
        sizing::AutoReserve,
        tier::Tier, //
    },
    manager::{
        PoolManager,
        RegisteredPool, //
    },
    tier::{
        self,
        cache::{
            CpuCache,
            MAX_CACHE, //
        },
        emergency::Emergency,
        reserve::{
            Reserve,
            MAX_RESERVE, //
        },
        Tiers, //
    }, //
};
use crate::{
    ffi::{
        arch,
        context::{
            Context,
            Kind,
            PlainAlloc,
            Task, //
        },
        mm::{
            bad_memory,
            watermark::memory_total, //
        },
        percpu::counters::Counter,
        task::waker::Waker, //
    },
    page::{
        AllocPages,
        AllowedIn,
        CalledIn,
        ExclusivePages,
        Form,
        Place,
        Shape,
        Uninit,
        ZoneLimit,
        MAX_ORDER, //
    },
    stats::Row, //
};
use kernel::{
    alloc::{
        Allocator,
        Vec, //
    },
    prelude::*,
    str::CString,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// The number of pages that a search for bad pages checks at once. During that time, others cannot
/// use the tier.
const SEARCHED_AT_ONCE: usize = 256;

/// The numbers that reports show of a pool: its own and those of its tiers.
pub(super) static TABLES: [&[Row<Pool>]; 3 + Tier::COUNT] = {
    let mut tables: [&[Row<Pool>]; 3 + Tier::COUNT] = [&ROWS; 3 + Tier::COUNT];
    tables[0] = &counts::ROWS;
    tables[1] = &resize::ROWS;
    let mut tier = 0;
    while tier < Tier::COUNT {
        tables[3 + tier] = tier::TABLES[tier];
        tier += 1;
    }
    tables
};

static ROWS: [Row<Pool>; 4] = [
    Row::counter(
        "pool_poisoned",
        "Pages taken out of circulation because some of their memory had gone bad.",
        &[],
        |pool, _| pool.poisoned.load(Relaxed) as u64,
    ),
    Row::counter(
        "pool_excluded_pages",
        "Pages that were not let in, as their memory is excluded.",
        &[],
        |pool, _| {
            let met = |tier| pool.tiers.of(tier).excluded_met();
            pool.exclusion.met() + Tier::ALL.into_iter().map(met).sum::<u64>()
        },
    ),
    Row::gauge(
        "pool_returning",
        "Pages given back in hard interrupts that wait to be freed.",
        &[],
        |pool, _| pool.returning() as u64,
    ),
    Row::gauge(
        "pool_returning_limit",
        "Pages that may wait to be freed before the pool holds requests back.",
        &[],
        |pool, _| pool.returning_limit() as u64,
    ),
];

type Pages = ExclusivePages<Uninit>;

/// Adds pages to a vector that has room for them.
#[inline(always)]
fn add<A: Allocator>(pages: &mut Vec<Pages, A>, one: Pages) {
    let _ = pages.push_within_capacity(one);
}

/// The configuration of a pool.
#[derive(Clone, Copy)]
pub struct PoolConfig {
    /// All allocations have 2^order pages. Below, a "page" means such a block.
    pub order: u32,
    /// Whether the pages are compound pages, see [`Shape::compound`]. The pool keeps no others.
    pub compound: bool,
    /// Pages that each CPU's cache can keep, at most 1024.
    pub cache: usize,
    /// Pages in the reserve, at most 2¹⁸ and half of the machine's memory. If the reserve sizes
    /// itself, the least number of pages.
    pub reserve: usize,
    /// Lets the reserve size itself, within these bounds. `None` for a reserve of a fixed size.
    pub auto_reserve: Option<AutoReserve>,
    /// Allocations below the min watermark that are allowed before the reserve is full again.
    pub emergency: u32,
    /// The NUMA node that pages are allocated from. The pool does not check the node of pages that
    /// it is given.
    pub place: Place,
    /// The memory that no page may come from. If this is most of the memory, requests can fail
    /// although other memory is free, because the number of attempts is limited.
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
            auto_reserve: None,
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

    /// Checks that no number exceeds its documented bounds. Fails with `ERANGE`, and the kernel log
    /// says what is wrong.
    pub(crate) fn check_bounds(&self, name: &CStr) -> Result {
        for (what, value, max) in [
            ("order", self.order as usize, MAX_ORDER as usize),
            ("cache", self.cache, MAX_CACHE),
            ("reserve", self.reserve, MAX_RESERVE),
        ] {
            if value > max {
                pr_err!("pool '{name}': {what}={value} is out of bounds: 0 to {max}\n");
                return Err(ERANGE);
            }
        }
        let Some(AutoReserve { max, half_life_ms }) = self.auto_reserve else {
            return Ok(());
        };
        let least = self.reserve.max(1);
        if !(least..=MAX_RESERVE).contains(&max) {
            pr_err!(
                "pool '{name}': a reserve that sizes itself from {} to {max} pages: the most is \
                 out of bounds: {least} to {MAX_RESERVE}\n",
                self.reserve
            );
            return Err(ERANGE);
        }
        let shortest = AutoReserve::MIN_HALF_LIFE_MS;
        if half_life_ms < shortest {
            pr_err!(
                "pool '{name}': half_life_ms={half_life_ms} is out of bounds: {shortest} or more\n"
            );
            return Err(ERANGE);
        }
        Ok(())
    }

    /// Returns how many pages the reserve may ever have. Any context.
    pub(in crate::pool) fn most_reserve(&self) -> usize {
        self.auto_reserve.map_or(self.reserve, |auto| auto.max)
    }

    /// Checks everything. Fails as [`Self::check_bounds`] does; with `ENOMEM` for a reserve of more
    /// than half of the memory, because refilling it would take all memory; and with `EINVAL` if
    /// the only allowed node is excluded. The kernel log says what is wrong.
    fn check(&self, name: &CStr) -> Result {
        self.check_bounds(name)?;
        if let Place::Only(node) = self.place {
            let node = node.number();
            if self.excluded.excludes_node(node as u32) {
                pr_err!("pool '{name}': node {node} is excluded, and no other will do\n");
                return Err(EINVAL);
            }
        }
        let blocks = self.most_reserve();
        let (pages, most) = (blocks << self.order, memory_total() / 2);
        if pages > most {
            pr_err!(
                "pool '{name}': a reserve of {pages} pages ({blocks} blocks of order {}) is more \
                 than half of the memory: at most {most} pages\n",
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
    #[pin]
    tiers: Tiers,
    /// Pages that were given back where nothing can be freed.
    #[pin]
    returning: Returning,
    counts: Counts,
    /// The rule by which the reserve sizes itself, if it does.
    #[pin]
    resizing: Resizing,
    rests_until: Atomic<u64>,
    waker: Arc<Waker>,
    /// Checks pages that come from elsewhere than the allocator.
    exclusion: Exclusion,
    /// Pages of the form with this number are taken back unchecked. It is the form of the pool, so
    /// the check costs no extra instructions. If memory is excluded, and once memory has gone bad,
    /// it is the number of no form, so all pages are checked.
    unlooked_form: Counter,
    /// The form of all pages in the pool.
    form: Form,
    /// The number of pages taken out of circulation because they had gone bad.
    poisoned: Atomic<usize>,
    /// How many searches of the tiers for bad pages are done. Each report needs two.
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
    /// there are too many pools, `EBUSY` where
    /// [`Registration::new`](crate::stats::Registration::new) returns it, and `ERANGE` and `ENOMEM`
    /// as [`PoolConfig`] says. For all but `EBUSY` and a lack of memory, the kernel log says
    /// what is wrong. The kernel's module loader turns an `EEXIST` of `init` into `EBUSY`.
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
    #[allow(clippy::new_ret_no_self, reason = "the pool manager has it, too")]
    #[track_caller]
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
        let form = Form::of(&config.shape()).ok_or(ERANGE)?;
        let exclusion = Exclusion::new(config.excluded);

        Arc::pin_init(
            try_pin_init!(Self {
                name,
                tiers <- Tiers::new(&config),
                returning <- Returning::new(config.order),
                counts: Counts::new()?,
                resizing <- Resizing::new(&config),
                rests_until: Atomic::new(0),
                waker,
                unlooked_form: Counter::new(if exclusion.is_open() {
                    form.raw().into()
                } else {
                    u64::MAX
                }),
                form,
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

    /// Returns the form of its pages. Any context.
    #[inline(always)]
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Returns the configuration that it was made with. Any context.
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// Returns the per-CPU cache, for reports. Any context.
    pub fn cache(&self) -> &CpuCache {
        self.tiers.cache()
    }

    /// Returns the reserve, for reports. Any context.
    pub fn reserve(&self) -> &Reserve {
        self.tiers.reserve()
    }

    /// Returns the tier that uses the kernel's emergency reserve. Any context.
    pub fn emergency(&self) -> &Emergency {
        self.tiers.emergency()
    }

    /// Returns the counters. Any context.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns how many requests in a context found no pages in a tier. Any context.
    pub fn missed(&self, context: Kind, tier: Tier) -> u64 {
        self.counts.missed(context, tier)
    }

    /// Returns how many requests in a context a tier served. Any context.
    pub fn served(&self, context: Kind, tier: Tier) -> u64 {
        self.tiers.of(tier).served(context) + self.counts.served(context, tier)
    }

    /// Returns how many of the pages that were given back in a context a tier keeps. Any context.
    pub(super) fn kept(&self, context: Kind, tier: Tier) -> u64 {
        self.tiers.of(tier).kept(context) + self.counts.kept(context, tier)
    }

    /// Hands out pages, or returns `None` if no tier has any for this request. Afterwards the
    /// request says which tiers were asked.
    ///
    /// Contexts: those of `GFP_ATOMIC`. These are task and softirq context and under a
    /// `spinlock_t`; except on PREEMPT_RT, also with interrupts disabled. Never in NMI.
    #[inline]
    pub fn get<C: PlainAlloc>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        self.get_by::<C, AllocPages>(cx, request)
    }

    /// Like [`Self::get`], but uses the allocator only by the functions that these flags are for
    /// ([`Gfp::Calls`](crate::Gfp::Calls)). The tiers choose the other flags.
    ///
    /// Contexts: those in which `gfp` is allowed, but not NMI. So with
    /// [`GfpNoLock`](crate::GfpNoLock), hard interrupts and code with interrupts disabled can
    /// request pages, including PREEMPT_RT.
    ///
    /// With such flags, which cannot free pages, a request does not ask the allocator while the
    /// pool [holds back](Self::holds_back): too many pages that were given back by
    /// [`Self::put_with`] wait to be freed. The cache and the reserve still serve the request.
    ///
    /// # Examples
    ///
    /// ```
    /// use labyrinth::{
    ///     context::HardIrq,
    ///     pool::{Priority, Request},
    ///     GfpNoLock, Pool,
    /// };
    ///
    /// fn refresh(cx: &HardIrq, pool: &Pool) {
    ///     if let Some(pages) = pool.get_with(cx, GfpNoLock, &mut Request::new(Priority::Normal)) {
    ///         pool.put_with(cx, GfpNoLock, pages);
    ///     }
    /// }
    /// ```
    #[inline]
    pub fn get_with<C: Context, G: AllowedIn<C>>(
        &self,
        cx: &C,
        _gfp: G,
        request: &mut Request,
    ) -> Option<Pages> {
        self.get_by::<C, G::Calls>(cx, request)
    }

    #[inline(always)]
    fn get_by<C: Context, M: CalledIn<C>>(&self, cx: &C, request: &mut Request) -> Option<Pages> {
        // The calls here get and return the request by value, so that a hit need not store it: no
        // other code gets its address.
        request.enter(Tier::Cache);
        if bad_memory::known() {
            let (pages, asked) = self.get_good::<C, M>(cx, *request);
            *request = asked;
            return pages;
        }
        let Some(pages) = self.tiers.cache().get_noted(cx) else {
            let (pages, asked) = self.get_beyond::<C, M>(cx, *request);
            *request = asked;
            return pages;
        };
        if events::answered_listened_to() {
            return self.hit_traced::<C>(pages);
        }
        Some(pages)
    }

    /// Like [`Self::get_by`], once memory has gone bad.
    #[cold]
    #[inline(never)]
    fn get_good<C: Context, M: CalledIn<C>>(
        &self,
        cx: &C,
        mut request: Request,
    ) -> (Option<Pages>, Request) {
        match self.tiers.cache().get_good(cx, &mut request) {
            None => self.get_beyond::<C, M>(cx, request),
            Some(pages) => (self.hit_traced::<C>(pages), request),
        }
    }

    #[cold]
    #[inline(never)]
    fn hit_traced<C: Context>(&self, pages: Pages) -> Option<Pages> {
        self.hit::<C>(&pages);
        Some(pages)
    }

    /// Reports a hit to the tracepoint.
    #[inline(always)]
    fn hit<C: Context>(&self, pages: &Pages) {
        let request = Request::served_by(Tier::Cache);
        events::answered::<C>(&self.name, self.config.order, &request, Some(pages), |_| 0);
    }

    /// Reports the answer to a request to the tracepoint.
    #[inline(always)]
    fn answered<C: Context, M: CalledIn<C>>(&self, request: &Request, pages: Option<&Pages>) {
        let gfp = Tiers::gfp::<C, M>;
        events::answered::<C>(&self.name, self.config.order, request, pages, gfp);
    }

    /// Hands out up to `wanted` pages, passes each to `sink` and returns how many there were.
    ///
    /// Contexts: those of [`Self::get`]. The cache and the allocator are asked for many pages at a
    /// time. When they have none left, all tiers after the cache are asked page by page.
    ///
    /// In the counters and in the trace, each wanted page is one request. When all tiers refuse one
    /// of them, the rest are not tried, and are counted as refused by the same tiers.
    pub fn get_bulk<C: PlainAlloc>(
        &self,
        cx: &C,
        priority: Priority,
        wanted: usize,
        mut sink: impl FnMut(Pages),
    ) -> usize {
        let mut request = Request::new(priority);
        let cache = self.tiers.cache();
        let mut got = cache.get_bulk(cx, &mut request, wanted, |pages| {
            self.hit::<C>(&pages);
            sink(pages);
        });
        if got < wanted {
            self.bulk_missed::<C>(wanted - got);
            let call = Call::<C, AllocPages>::new(self, cx);
            let buddy = self.tiers.buddy();
            let more = buddy.get_bulk(&call, &mut request, wanted - got, |pages| {
                self.bulk_answered::<C>(&pages);
                sink(pages);
            });
            self.counts.bulk(C::KIND, Tier::Buddy, more);
            got += more;
        }
        self.get_rest(cx, priority, wanted, got, sink)
    }

    /// Like [`Self::get_bulk`], but adds the pages to a vector, as many as it has room for. This
    /// takes the fewest instructions for each page, because no page is moved.
    pub fn get_into<C: PlainAlloc, A: Allocator>(
        &self,
        cx: &C,
        priority: Priority,
        pages: &mut Vec<Pages, A>,
    ) -> usize {
        let (before, wanted) = (pages.len(), pages.capacity() - pages.len());
        let mut request = Request::new(priority);
        let cache = self.tiers.cache();
        let got = cache.get_bulk(cx, &mut request, wanted, |one| {
            self.hit::<C>(&one);
            add(pages, one);
        });
        if got < wanted {
            self.bulk_missed::<C>(wanted - got);
            let call = Call::<C, AllocPages>::new(self, cx);
            let more = self.tiers.buddy().get_into(&call, &mut request, pages);
            self.counts.bulk(C::KIND, Tier::Buddy, more);
            if events::answered_listened_to() {
                let new = pages.iter().skip(before + got);
                new.for_each(|one| self.bulk_answered::<C>(one));
            }
            self.get_rest(cx, priority, wanted, got + more, |one| add(pages, one))
        } else {
            got
        }
    }

    /// Reports a page that the allocator gave to a bulk request.
    #[inline(always)]
    fn bulk_answered<C: PlainAlloc>(&self, pages: &Pages) {
        let request = Request::served_by(Tier::Buddy);
        self.answered::<C, AllocPages>(&request, Some(pages));
    }

    /// Counts and reports the pages that one call did not find in the cache, and calls the manager.
    fn bulk_missed<C: Context>(&self, pages: usize) {
        self.counts.bulk_missed(C::KIND, pages);
        events::missed(&self.name, pages);
        self.counts.hungry();
        self.call_manager();
    }

    /// Asks all tiers after the cache page by page, until there are `wanted` pages or a request
    /// fails. `got` pages are there already. Returns how many there are.
    fn get_rest<C: PlainAlloc>(
        &self,
        cx: &C,
        priority: Priority,
        wanted: usize,
        mut got: usize,
        mut sink: impl FnMut(Pages),
    ) -> usize {
        let call = Call::<C, AllocPages>::new(self, cx);
        while got < wanted {
            // The pages that the cache did not have are counted already.
            let mut request = Request::new(priority);
            let pages = self.tiers.get_second(&call, &mut request);
            let (pages, request) = if pages.is_some() {
                self.counts.bulk(C::KIND, Tier::SECOND, 1);
                if events::misses_listened_to() {
                    self.trace::<C, AllocPages>(&request, pages.as_ref());
                }
                (pages, request)
            } else {
                self.get_late::<C, AllocPages>(cx, request, true)
            };
            let Some(pages) = pages else {
                self.not_tried::<C, AllocPages>(&request, wanted - got - 1);
                break;
            };
            sink(pages);
            got += 1;
        }
        got
    }

    /// Takes pages back. Pages go to the allocator if they are excluded, have gone bad, or are not
    /// of the order of the pool, or compound pages where the pool has none, or the reverse.
    ///
    /// Contexts: those in which pages may be freed. These are task and softirq context and under a
    /// `spinlock_t`; except on PREEMPT_RT, also with interrupts disabled. Never in NMI.
    #[inline]
    pub fn put<C: PlainAlloc>(&self, cx: &C, pages: Pages) {
        self.put_by::<C, AllocPages>(cx, pages);
    }

    /// Like [`Self::put`], but uses the allocator only by the functions that these flags are for.
    /// Contexts: those of [`Self::get_with`].
    ///
    /// If the flags are for functions that cannot free pages, those that no tier keeps stay
    /// allocated until the refill thread frees them, a moment later. Any number of pages is taken
    /// back. If they come faster than the thread frees them, [`Self::get_with`] gets fewer.
    #[inline]
    pub fn put_with<C: Context, G: AllowedIn<C>>(&self, cx: &C, _gfp: G, pages: Pages) {
        self.put_by::<C, G::Calls>(cx, pages);
    }

    /// Takes many pages back, each as [`Self::put`] does. Contexts: those of [`Self::put`].
    ///
    /// The cache is taken once for all pages. `pages` is asked for the next page while this CPU's
    /// cache is in use, so it should be fast.
    pub fn put_bulk<C: PlainAlloc>(&self, cx: &C, pages: impl IntoIterator<Item = Pages>) {
        let mut pages = pages.into_iter();
        if events::given_back_listened_to() {
            return pages.for_each(|pages| self.put(cx, pages));
        }
        let keeps = |pages: &Pages| self.keeps_unlooked(pages);
        let cache = self.tiers.cache();
        let mut next = cache.put_bulk(cx, &mut pages, keeps);

        // If the reserve is full now, single pages go to the allocator without a further check.
        let full = self.form == Form::SINGLE && self.reserve().seems_full();
        let mut released = 0;
        while let Some(given) = next {
            if full && given.form() == Form::SINGLE {
                released += 1;
                drop(given);
            } else {
                self.put_past_cache::<C, AllocPages>(cx, given);
            }
            next = pages.next();
        }
        if released != 0 {
            self.counts.release(C::KIND, released);
        }
    }

    /// Takes a page back that the cache does not keep.
    #[cold]
    #[inline(never)]
    fn put_past_cache<C: Context, M: CalledIn<C>>(&self, cx: &C, mut pages: Pages) {
        if self.keeps_unlooked(&pages) {
            pages.uncharge();
            self.put_beyond::<C, M>(cx, pages);
        } else {
            self.put_looked_at::<C, M>(cx, pages);
        }
    }

    #[inline(always)]
    fn put_by<C: Context, M: CalledIn<C>>(&self, cx: &C, mut pages: Pages) {
        // As in `get_by`, each call is a tail call.
        if !self.keeps_unlooked(&pages) {
            return self.put_looked_at::<C, M>(cx, pages);
        }
        pages.uncharge();
        if events::given_back_listened_to() {
            return self.put_traced::<C, M>(cx, pages);
        }
        if let Err(pages) = self.tiers.cache().put(&Call::<C, M>::new(self, cx), pages) {
            self.put_beyond::<C, M>(cx, pages);
        }
    }

    /// Returns whether a tier of this pool may keep the pages without checking the memory itself.
    /// Any context.
    #[inline(always)]
    pub(in crate::pool) fn keeps_unlooked(&self, pages: &Pages) -> bool {
        u64::from(pages.form().raw()) == self.unlooked_form.read()
    }

    /// Returns whether a tier of this pool may keep the pages. If the pages are of this pool, but
    /// bad, they are counted as released in the context `kind`.
    fn is_at_home(&self, pages: &Pages, kind: Kind) -> bool {
        if pages.form() != self.form || !self.exclusion.lets_in(pages) {
            return false;
        }
        if pages.is_known_bad() {
            self.counts.release(kind, 1);
            return false;
        }
        true
    }

    /// Frees pages, and counts them if they are bad. Contexts: those in which pages may be freed.
    pub(in crate::pool) fn release(&self, pages: Pages) {
        if pages.is_known_bad() {
            self.poisoned.add(1, Relaxed);
        }
        drop(pages);
    }

    /// Searches the tiers for pages that have gone bad, and frees them, which takes them out of
    /// use. Returns false if the search has to be repeated a moment later: if a cache was in use,
    /// and in any case once, for pages that were coming back during the first search. For the
    /// refill thread only.
    ///
    /// After the start of the first search, all pages that come back are checked.
    pub(in crate::pool) fn take_out_bad(&self) -> bool {
        let wanted = bad_memory::reports().wrapping_mul(2);
        let searches = self.searches.load(Relaxed);
        if searches == wanted {
            return true;
        }
        self.unlooked_form.set(u64::MAX);
        let at_once = (SEARCHED_AT_ONCE >> self.config.order).max(1);
        let mut done = true;
        for tier in Tier::ALL {
            let taken = self.tiers.of(tier).drain_bad(at_once);
            done &= taken.is_ok();
            let (Ok(taken) | Err(taken)) = taken;
            self.poisoned.add(taken, Relaxed);
        }
        if !done {
            return false;
        }
        let again = searches != wanted - 1;
        self.searches.store(wanted - usize::from(again), Relaxed);
        !again
    }

    /// Like [`Self::put_by`], for pages of another form, and if memory is excluded or has gone bad.
    #[cold]
    #[inline(never)]
    fn put_looked_at<C: Context, M: CalledIn<C>>(&self, cx: &C, mut pages: Pages) {
        if self.is_at_home(&pages, C::KIND) {
            pages.uncharge();
            return self.put_traced::<C, M>(cx, pages);
        }
        if events::given_back_listened_to() {
            events::given_back(&self.name, Tier::Buddy, pages.order(), pages.pfn());
        }
        if M::FREES {
            self.release(pages);
        } else {
            self.free_later(pages);
        }
    }

    /// Like [`Self::put_by`], but keeps the page frame number for the tracepoint. A page in the
    /// cache can have another owner by the time that the event is reported.
    #[cold]
    #[inline(never)]
    fn put_traced<C: Context, M: CalledIn<C>>(&self, cx: &C, pages: Pages) {
        let pfn = pages.pfn();
        let call = Call::<C, M>::new(self, cx);
        let given_back = |to| events::given_back(&self.name, to, self.config.order, pfn);
        let pages = match self.tiers.cache().put(&call, pages) {
            Ok(tier) => return given_back(tier),
            Err(pages) => pages,
        };
        match self.tiers.put_beyond(&call, pages) {
            Ok(tier) => {
                given_back(tier);
                self.counts.kept_by(C::KIND, tier);
            }
            Err(pages) => {
                // Report this before the pages are freed, and can have another owner.
                given_back(Tier::Buddy);
                self.counts.release(C::KIND, 1);
                call.free(pages);
            }
        }
    }

    /// Wakes the refill thread. Any context.
    ///
    /// The thread looks at each pool after each call, or later if the pool rests. It takes back the
    /// hunger of a CPU ([`Counts::hungry`]) before it looks at that CPU's cache.
    #[inline]
    fn call_manager(&self) {
        self.waker.wake();
    }
}

/// The tiers after the first one. This code is out of line, so that a hit does not pay for it.
impl Pool {
    /// Asks the tiers after the first one. Returns the request with the tiers that were asked.
    #[cold]
    #[inline(never)]
    fn get_beyond<C: Context, M: CalledIn<C>>(
        &self,
        cx: &C,
        mut request: Request,
    ) -> (Option<Pages>, Request) {
        if !self.lets_through::<C, M>() {
            return self.get_late::<C, M>(cx, request, false);
        }
        let call = Call::<C, M>::new(self, cx);
        let Some(pages) = self.tiers.get_second(&call, &mut request) else {
            return self.get_late::<C, M>(cx, request, true);
        };
        self.counts.served_second(C::KIND);
        if events::misses_listened_to() {
            self.trace::<C, M>(&request, Some(&pages));
        }
        // If this CPU is hungry already, it has called, and the manager has yet to look at its
        // cache. The manager then sees the cache as this request did, because the exchange that
        // takes the cache is fully ordered.
        if self.counts.hungry() {
            self.call_manager();
        }
        (Some(pages), request)
    }

    /// Asks the tiers after the second one; those that have pages of their own if the allocator may
    /// not be asked.
    #[cold]
    #[inline(never)]
    fn get_late<C: Context, M: CalledIn<C>>(
        &self,
        cx: &C,
        mut request: Request,
        allocator: bool,
    ) -> (Option<Pages>, Request) {
        let call = Call::<C, M>::new(self, cx);
        let pages = if allocator {
            self.tiers.get_beyond_second(&call, &mut request)
        } else {
            self.tiers.get_kept(&call, &mut request)
        };
        self.counts.path(C::KIND, &request, pages.is_some(), 1);
        if events::misses_listened_to() {
            self.trace::<C, M>(&request, pages.as_ref());
        }
        // The manager must look at what this request has changed, so call it in any case.
        self.counts.hungry();
        self.call_manager();
        (pages, request)
    }

    /// Reports to the tracepoints a request that the cache could not serve.
    #[cold]
    #[inline(never)]
    fn trace<C: Context, M: CalledIn<C>>(&self, request: &Request, pages: Option<&Pages>) {
        events::steps(&self.name, request);
        self.answered::<C, M>(request, pages);
    }

    /// Counts requests that were not tried, as if each had failed like `failed`.
    #[cold]
    #[inline(never)]
    fn not_tried<C: Context, M: CalledIn<C>>(&self, failed: &Request, requests: usize) {
        self.counts.path(C::KIND, failed, false, requests);
        if events::misses_listened_to() {
            for _ in 0..requests {
                self.trace::<C, M>(failed, None);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn put_beyond<C: Context, M: CalledIn<C>>(&self, cx: &C, pages: Pages) {
        let call = Call::<C, M>::new(self, cx);
        match self.tiers.put_beyond(&call, pages) {
            Ok(tier) => self.counts.kept_by(C::KIND, tier),
            Err(pages) => {
                self.counts.release(C::KIND, 1);
                call.free(pages);
            }
        }
    }
}
