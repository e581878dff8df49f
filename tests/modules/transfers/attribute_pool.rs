// SPDX-License-Identifier: GPL-2.0

//! Takes blocks with a cache attribute out of a pool, and gives them back.

#![forbid(unsafe_code)]

#[cfg(not(CONFIG_PREEMPT_RT))]
use crate::context::in_hard_irq;
use crate::{
    attribute::{
        all_are,
        Known,
        WRITE_BACK, //
    },
    case::{
        check,
        Case, //
    },
    context::{
        eventually,
        in_softirq,
        under_spinlock, //
    },
    probe, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    context::Task,
    pool::AttributedPool,
    AttributedPages,
    ExclusivePages,
    GfpKernel,
    Place,
    Uncached,
    WriteCombined,
    MAX_ORDER, //
};

pub(crate) const CASES: &[&[Case]] = &[&[
    Case {
        name: "attribute_pool_hit_task",
        run: |cx| hit(cx, |_, pool| Ok(uses(&pool))),
    },
    Case {
        name: "attribute_pool_hit_spinlock",
        run: |cx| hit(cx, |cx, pool| under_spinlock(cx, move |_| uses(&pool))),
    },
    Case {
        name: "attribute_pool_hit_softirq",
        run: |cx| hit(cx, |cx, pool| in_softirq(cx, move |_| uses(&pool))),
    },
    #[cfg(not(CONFIG_PREEMPT_RT))]
    Case {
        name: "attribute_pool_hit_hard_irq",
        run: |cx| hit(cx, |cx, pool| in_hard_irq(cx, move |_| uses(&pool))),
    },
    Case {
        name: "attribute_pool_ahead",
        run: ahead,
    },
    Case {
        name: "attribute_pool_full",
        run: full,
    },
    Case {
        name: "attribute_pool_of_another_order",
        run: of_another_order,
    },
    Case {
        name: "attribute_pool_dropped",
        run: dropped,
    },
    Case {
        name: "attribute_pool_shrunk",
        run: shrunk,
    },
    #[cfg(CONFIG_MEMORY_FAILURE)]
    Case {
        name: "attribute_pool_gone_bad",
        run: gone_bad,
    },
]];

type Pool = AttributedPool<WriteCombined>;

fn pool(cx: &Task, order: u32, capacity: usize) -> Result<Pool> {
    AttributedPool::new(cx, c"labyrinth_attributed", order, capacity)
}

/// The addresses of the pages of a block.
fn addresses<A: Known>(block: &AttributedPages<A>) -> Result<KVec<usize>> {
    let mut addresses = KVec::new();
    for number in 0..1 << block.order() {
        addresses.push(probe::address_of(block.pfn() + number), GFP_KERNEL)?;
    }
    Ok(addresses)
}

/// Empties a pool of three blocks, and gives them back.
fn uses(pool: &Pool) -> Result {
    let mut pfns = [0; 3];
    let mut blocks = [const { None }; 3];
    for (block, pfn) in blocks.iter_mut().zip(&mut pfns) {
        let mut got = pool.get().ok_or(ENOENT)?;
        check!(got.order() == 1);
        got.write(|pages| pages[1].fill(0x42));
        *pfn = got.pfn();
        *block = Some(got);
    }
    check!(pool.get().is_none());
    for block in blocks.into_iter().flatten() {
        pool.put(block);
    }
    // The last one that was given back comes first.
    let block = pool.get().ok_or(ENOENT)?;
    check!(block.pfn() == pfns[2]);
    check!(block.read(|pages| pages[1][PAGE_SIZE - 1] == 0x42));
    pool.put(block);
    Ok(())
}

/// In any context the pool hands out blocks with the attribute, until it is empty.
fn hit(cx: &mut Task, run: fn(&mut Task, Arc<Pool>) -> Result<Result>) -> Result {
    let pool = Arc::new(pool(cx, 1, 4)?, GFP_KERNEL)?;
    check!(pool.fill(cx, 3)? == 3 && pool.counts().kept == 3);
    run(cx, pool.clone())??;

    let counts = pool.counts();
    check!((counts.hits, counts.misses, counts.kept) == (4, 1, 3));
    let block = pool.get().ok_or(ENOENT)?;
    check!(all_are(WriteCombined::TYPES, &addresses(&block)?));
    Ok(())
}

/// A miss in task context changes several blocks at once.
fn ahead(cx: &mut Task) -> Result {
    let pool = AttributedPool::<Uncached>::new(cx, c"labyrinth_attributed", 0, 4)?;
    let first = pool.get_or_set(cx, 2)?;
    check!(all_are(Uncached::TYPES, &addresses(&first)?));
    let counts = pool.counts();
    check!((counts.hits, counts.misses, counts.kept) == (0, 1, 2));
    let second = pool.get_or_set(cx, 2)?;
    check!(pool.counts().hits == 1 && pool.counts().kept == 1);
    check!(second.pfn() != first.pfn());
    // No more than there is room for.
    check!(pool.fill(cx, 100)? == 3 && pool.counts().kept == 4);
    check!(pool.fill(cx, 100)? == 0);
    check!(AttributedPool::<Uncached>::new(cx, c"labyrinth_attributed", MAX_ORDER + 1, 1).is_err());
    Ok(())
}

/// Whether a block becomes free, and is write-back by then. Other code may soon be given its pages.
fn goes_back(addresses: &[usize]) -> Result {
    eventually(|| all_are(WRITE_BACK, addresses))
}

fn full(cx: &mut Task) -> Result {
    let pool = pool(cx, 0, 2)?;
    pool.fill(cx, 2)?;
    let extra = pool.get_or_set(cx, 0)?;
    pool.fill(cx, 1)?;
    let addresses = addresses(&extra)?;
    pool.put(extra);
    let counts = pool.counts();
    check!((counts.kept, counts.overflows) == (2, 1));
    goes_back(&addresses)
}

/// A block of another order must not come out of the pool as one of this order.
fn of_another_order(cx: &mut Task) -> Result {
    let pool = pool(cx, 0, 2)?;
    let mut blocks = KVec::new();
    let block = ExclusivePages::alloc(cx, GfpKernel, 1, Place::Any)?.zeroed();
    blocks.push(block, GFP_KERNEL)?;
    let mut blocks = AttributedPages::set(cx, blocks).map_err(|(error, _)| error)?;
    let block = blocks.pop().ok_or(EINVAL)?;
    let addresses = addresses(&block)?;
    pool.put(block);
    check!(pool.counts().kept == 0);
    goes_back(&addresses)
}

/// The blocks of a pool that is dropped go back.
fn dropped(cx: &mut Task) -> Result {
    let pool = pool(cx, 2, 8)?;
    pool.fill(cx, 8)?;
    let block = pool.get().ok_or(ENOENT)?;
    let all = addresses(&block)?;
    pool.put(block);
    drop(pool);
    goes_back(&all)
}

/// When memory is short, blocks go back.
fn shrunk(cx: &mut Task) -> Result {
    let pool = pool(cx, 0, 64)?;
    pool.fill(cx, 64)?;
    let block = pool.get().ok_or(ENOENT)?;
    let addresses = addresses(&block)?;
    pool.put(block);
    for _ in 0..20 {
        probe::shrink(cx)?;
        if pool.counts().kept == 0 {
            break;
        }
    }
    let counts = pool.counts();
    check!((counts.kept, counts.shrunk) == (0, 64));
    goes_back(&addresses)
}

/// A block that has gone bad while it was in the pool does not come out of it. Each run of this case
/// loses a page for ever.
#[cfg(CONFIG_MEMORY_FAILURE)]
fn gone_bad(cx: &mut Task) -> Result {
    let pool = pool(cx, 0, 2)?;
    pool.fill(cx, 2)?;
    let block = pool.get().ok_or(ENOENT)?;
    let (bad, address) = (block.pfn(), probe::address_of(block.pfn()));
    pool.put(block);
    probe::spoil(address);
    let other = pool.get().ok_or(ENOENT)?;
    check!(other.pfn() != bad && pool.get().is_none());
    check!((pool.counts().hits, pool.counts().misses) == (2, 1));
    Ok(())
}
