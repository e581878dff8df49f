// SPDX-License-Identifier: GPL-2.0

//! [`AttributedPool`]: pages that keep their cache attribute from one use to the next.
//!
//! Changing an attribute sleeps and interrupts all CPUs. A request that finds a block in the pool
//! does neither, so it works in atomic context.
//!
//! ```text
//!   get()                        any context: a block of the pool, or none
//!   get_or_set(cx, …), fill(cx)  task context: changes many blocks at once
//!   put(block)                   any context: into the pool; if it is full, back to the allocator
//!   shrinker                     memory is short: some blocks back to the allocator
//! ```
//!
//! Blocks that go back are dropped, so a work of the kernel makes them write-back, all at once.

use crate::{
    ffi::{
        context::MaySleep,
        mm::shrinker::{
            Shrink,
            Shrinker, //
        },
        sync::spin_lock::RawSpinLock, //
    },
    page::{
        AttributedPages,
        CacheAttribute,
        ExclusivePages,
        GfpKernel,
        NoWarn,
        Place,
        MAX_ORDER, //
    }, //
};
use kernel::{
    prelude::*,
    static_lock_class,
    sync::Arc, //
};

/// A pool of blocks with the cache attribute `A`, all of one order.
///
/// A block from the pool contains what its last user in this driver has left there.
///
/// Contexts: [`Self::new`], [`Self::fill`], [`Self::get_or_set`] and dropping sleep. All others in
/// any context but NMI.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// use labyrinth::{context::Task, pool::AttributedPool, WriteCombined};
///
/// fn start(cx: &Task) -> Result<AttributedPool<WriteCombined>> {
///     let pool = AttributedPool::new(cx, c"my_frames", 0, 256)?;
///     pool.fill(cx, 64)?;
///     Ok(pool)
/// }
///
/// fn in_an_interrupt(pool: &AttributedPool<WriteCombined>) -> Option<usize> {
///     let mut block = pool.get()?;
///     block.write(|pages| pages[0].fill(0));
///     let pfn = block.pfn();
///     pool.put(block);
///     Some(pfn)
/// }
/// ```
pub struct AttributedPool<A: CacheAttribute> {
    order: u32,
    capacity: usize,
    /// It is dropped first, and `kept` after that.
    _shrinker: Shrinker<Arc<Kept<A>>>,
    kept: Arc<Kept<A>>,
}

/// The blocks of a pool, and its counters.
#[pin_data]
struct Kept<A: CacheAttribute> {
    #[pin]
    state: RawSpinLock<State<A>>,
}

struct State<A: CacheAttribute> {
    /// It has room for as many blocks as the pool can keep.
    blocks: KVec<AttributedPages<A>>,
    counts: AttributedCounts,
}

/// The numbers of an [`AttributedPool`] since it was made, and how many blocks it has now.
#[derive(Clone, Copy, Default)]
pub struct AttributedCounts {
    /// Requests that the pool had a block for.
    pub hits: u64,
    /// Requests that it had none for.
    pub misses: u64,
    /// Blocks that came back while the pool was full.
    pub overflows: u64,
    /// Blocks that the shrinker took.
    pub shrunk: u64,
    /// The blocks in the pool.
    pub kept: usize,
}

impl<A: CacheAttribute> Shrink for Arc<Kept<A>> {
    fn count(&self) -> usize {
        self.state.with(|state| state.blocks.len())
    }

    /// Drops blocks. The kernel frees them later: this may be called with any locks held.
    fn scan(&self, wanted: usize) -> usize {
        let mut freed = 0;
        while freed < wanted {
            let Some(block) = self.state.with(|state| state.blocks.pop()) else {
                break;
            };
            drop(block);
            freed += 1;
        }
        self.state.with(|state| state.counts.shrunk += freed as u64);
        freed
    }
}

impl<A: CacheAttribute> AttributedPool<A> {
    /// Makes an empty pool that can keep `capacity` blocks of 2^`order` pages. Sleeps. The kernel's
    /// shrinkers and lockdep show the name.
    ///
    /// Fails with `EINVAL` for an order above [`MAX_ORDER`], and with `ENOMEM` if there is no
    /// memory.
    pub fn new<C: MaySleep>(
        _cx: &C,
        name: &'static CStr,
        order: u32,
        capacity: usize,
    ) -> Result<Self> {
        if order > MAX_ORDER {
            return Err(EINVAL);
        }
        let state = State {
            blocks: KVec::with_capacity(capacity, GFP_KERNEL)?,
            counts: AttributedCounts::default(),
        };
        let kept = Arc::pin_init(
            pin_init!(Kept {
                state <- RawSpinLock::new(state, name, static_lock_class!()),
            }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            order,
            capacity,
            _shrinker: Shrinker::new(name, kept.clone())?,
            kept,
        })
    }

    /// Takes a block out of the pool. Any context but NMI.
    pub fn get(&self) -> Option<AttributedPages<A>> {
        loop {
            let block = self.kept.state.with(|state| {
                let block = state.blocks.pop();
                match block {
                    Some(_) => state.counts.hits += 1,
                    None => state.counts.misses += 1,
                }
                block
            })?;
            if !block.is_bad() {
                return Some(block);
            }
            // A block that has gone bad is dropped, and goes out of use.
            self.kept.state.with(|state| state.counts.hits -= 1);
        }
    }

    /// Gives a block to the pool. If the pool is full, or for blocks of another order, the block
    /// goes back to the allocator. Any context but NMI.
    pub fn put(&self, block: AttributedPages<A>) {
        if block.order() != self.order || block.is_bad() {
            return;
        }
        let capacity = self.capacity;
        let refused = self.kept.state.with(|state| {
            // The vector may have room for more than was asked for.
            if state.blocks.len() < capacity {
                let pushed = state.blocks.push_within_capacity(block);
                pushed.err().map(|refused| refused.0)
            } else {
                state.counts.overflows += 1;
                Some(block)
            }
        });
        drop(refused);
    }

    /// Allocates up to `wanted` blocks, as far as there is room for them, and gives all of them the
    /// attribute at once. Returns how many there were. Sleeps.
    ///
    /// Fails as [`AttributedPages::set`] does; then the blocks are free again.
    pub fn fill<C: MaySleep>(&self, cx: &C, wanted: usize) -> Result<usize> {
        let room = self.capacity.saturating_sub(self.counts().kept);
        let mut blocks = self.make(cx, wanted.min(room))?;
        let filled = blocks.len();
        while let Some(block) = blocks.pop() {
            self.put(block);
        }
        Ok(filled)
    }

    /// Takes a block out of the pool. If there is none, allocates one block and up to `ahead` more,
    /// and gives all of them the attribute at once; the pool keeps the others. Sleeps.
    ///
    /// Fails as [`AttributedPages::set`] does.
    pub fn get_or_set<C: MaySleep>(&self, cx: &C, ahead: usize) -> Result<AttributedPages<A>> {
        if let Some(block) = self.get() {
            return Ok(block);
        }
        let mut blocks = self.make(cx, ahead.saturating_add(1))?;
        let wanted = blocks.pop().ok_or(ENOMEM)?;
        while let Some(block) = blocks.pop() {
            self.put(block);
        }
        Ok(wanted)
    }

    /// Allocates up to `wanted` blocks with the attribute.
    fn make<C: MaySleep>(&self, cx: &C, wanted: usize) -> Result<KVec<AttributedPages<A>>> {
        let mut blocks = KVec::new();
        for _ in 0..wanted {
            match ExclusivePages::alloc(cx, NoWarn(GfpKernel), self.order, Place::Any) {
                Ok(block) => blocks.push(block.zeroed(), GFP_KERNEL)?,
                Err(_) => break,
            }
        }
        if blocks.is_empty() {
            return if wanted == 0 {
                Ok(KVec::new())
            } else {
                Err(ENOMEM)
            };
        }
        AttributedPages::set(cx, blocks).map_err(|(error, _)| error)
    }

    /// Returns the numbers of the pool. Any context but NMI.
    pub fn counts(&self) -> AttributedCounts {
        self.kept.state.with(|state| AttributedCounts {
            kept: state.blocks.len(),
            ..state.counts
        })
    }
}
