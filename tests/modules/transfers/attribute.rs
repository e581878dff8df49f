// SPDX-License-Identifier: GPL-2.0

//! Gives pages a cache attribute, and reads it back from the page table.

#![forbid(unsafe_code)]

#[cfg(not(CONFIG_PREEMPT_RT))]
use crate::context::in_hard_irq;
use crate::{
    case::{
        check,
        Case, //
    },
    context::{
        eventually,
        in_softirq,
        under_spinlock, //
    },
    probe,
    refusal::{
        Function,
        Refusal, //
    }, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};
use labyrinth::{
    context::Task,
    AttributedPages,
    Bytes,
    CacheAttribute,
    ExclusivePages,
    GfpKernel,
    Place,
    Uncached,
    WriteCombined, //
};

pub(crate) const CASES: &[&[Case]] = &[&[
    Case {
        name: "attribute_control",
        run: control,
    },
    Case {
        name: "attribute_write_combined",
        run: there_and_back::<WriteCombined>,
    },
    Case {
        name: "attribute_uncached",
        run: there_and_back::<Uncached>,
    },
    Case {
        name: "attribute_of_nothing",
        run: of_nothing,
    },
    Case {
        name: "attribute_used_in_softirq",
        run: used_in_softirq,
    },
    Case {
        name: "attribute_dropped_task",
        run: |cx| dropped(cx, |_, blocks| Ok(drop(blocks))),
    },
    Case {
        name: "attribute_dropped_spinlock",
        run: |cx| dropped(cx, |cx, blocks| under_spinlock(cx, |_| drop(blocks))),
    },
    Case {
        name: "attribute_dropped_softirq",
        run: |cx| dropped(cx, |cx, blocks| in_softirq(cx, |_| drop(blocks))),
    },
    #[cfg(not(CONFIG_PREEMPT_RT))]
    Case {
        name: "attribute_dropped_hard_irq",
        run: |cx| dropped(cx, |cx, blocks| in_hard_irq(cx, |_| drop(blocks))),
    },
    Case {
        name: "attribute_leaked",
        run: leaked,
    },
    Case {
        name: "attribute_set_refused",
        run: set_refused,
    },
    Case {
        name: "attribute_set_lost",
        run: set_lost,
    },
    Case {
        name: "attribute_reset_refused",
        run: reset_refused,
    },
    Case {
        name: "attribute_dropped_lost",
        run: dropped_lost,
    },
]];

type Blocks = KVec<ExclusivePages<Bytes>>;

/// An attribute, and the memory types of the CPU that stand for it.
pub(crate) trait Known: CacheAttribute {
    const TYPES: &'static [c_int];
}

impl Known for WriteCombined {
    const TYPES: &'static [c_int] = &[1];
}
impl Known for Uncached {
    const TYPES: &'static [c_int] = &[0, 7];
}

pub(crate) const WRITE_BACK: &[c_int] = &[6];

/// The orders of the blocks that cases use.
const ORDERS: [u32; 5] = [0, 3, 0, 1, 0];

/// Makes blocks, each page of which begins and ends with a number.
fn blocks(cx: &Task) -> Result<Blocks> {
    let mut blocks = KVec::new();
    for order in ORDERS {
        let mut block = ExclusivePages::alloc(cx, GfpKernel, order, Place::Any)?.zeroed();
        for (number, page) in block.iter_mut().enumerate() {
            page[0] = number as u8 + 1;
            page[PAGE_SIZE - 1] = number as u8 + 1;
        }
        blocks.push(block, GFP_KERNEL)?;
    }
    Ok(blocks)
}

/// Returns the addresses of all pages in the linear mapping.
fn addresses(blocks: &Blocks) -> Result<KVec<usize>> {
    let mut addresses = KVec::new();
    for page in blocks.iter().flat_map(|block| block.iter()) {
        addresses.push(page.as_ptr() as usize, GFP_KERNEL)?;
    }
    Ok(addresses)
}

/// Returns the address of the first page of each block. The reference counts of the others are 0,
/// as those of free pages are.
fn heads(blocks: &Blocks) -> Result<KVec<usize>> {
    let mut heads = KVec::new();
    for block in blocks {
        heads.push(block.as_ptr() as usize, GFP_KERNEL)?;
    }
    Ok(heads)
}

fn are_free(heads: &[usize]) -> usize {
    heads.iter().filter(|&&head| probe::is_free(head)).count()
}

/// Frees blocks that labyrinth has lost, with the orders in `ORDERS`.
fn rescue(cx: &Task, heads: &[usize]) {
    for (&head, order) in heads.iter().zip(ORDERS) {
        probe::rescue(cx, head, order);
    }
}

fn attributed<A: Known>(cx: &Task, blocks: Blocks) -> Result<KVec<AttributedPages<A>>> {
    AttributedPages::set(cx, blocks).map_err(|(error, _)| error)
}

/// Whether accesses to all these addresses have one of these memory types. On other architectures
/// than x86 the linear mapping does not tell.
#[cfg(CONFIG_X86_64)]
pub(crate) fn all_are(types: &[c_int], addresses: &[usize]) -> bool {
    let is_one =
        |&address: &usize| probe::memory_type(address).is_ok_and(|kind| types.contains(&kind));
    !addresses.is_empty() && addresses.iter().all(is_one)
}

#[cfg(not(CONFIG_X86_64))]
pub(crate) fn all_are(_types: &[c_int], _addresses: &[usize]) -> bool {
    true
}

/// Checks that the contents are those of `blocks()`.
fn are_intact(pages: &[Bytes]) -> bool {
    let mut numbered = pages.iter().zip(1..);
    numbered.all(|(page, number)| page[0] == number && page[PAGE_SIZE - 1] == number)
}

fn control(cx: &mut Task) -> Result {
    check!(all_are(WRITE_BACK, &addresses(&blocks(cx)?)?));
    Ok(())
}

fn there_and_back<A: Known>(cx: &mut Task) -> Result {
    let blocks = blocks(cx)?;
    let addresses = addresses(&blocks)?;
    let mut blocks = attributed::<A>(cx, blocks)?;

    check!(all_are(A::TYPES, &addresses));
    check!(blocks.len() == ORDERS.len());
    for (block, order) in blocks.iter_mut().zip(ORDERS) {
        check!(block.order() == order && !block.is_bad());
        check!(block.read(|pages| pages.len() == 1 << order && are_intact(pages)));
        block.write(|pages| pages.iter_mut().for_each(|page| page[8] = 0x77));
    }

    let blocks = AttributedPages::reset(cx, blocks).map_err(|(error, _)| error)?;
    check!(all_are(WRITE_BACK, &addresses));
    check!(blocks.len() == ORDERS.len());
    let mut expected = addresses.iter();
    for (block, order) in blocks.iter().zip(ORDERS) {
        check!(block.order() == order && are_intact(block));
        for page in block.iter() {
            check!(page[8] == 0x77 && expected.next() == Some(&(page.as_ptr() as usize)));
        }
    }
    Ok(())
}

fn of_nothing(cx: &mut Task) -> Result {
    let result = AttributedPages::<Uncached>::set(cx, KVec::new());
    check!(result.is_err_and(|(error, blocks)| error == EINVAL && blocks.is_empty()));
    let result = AttributedPages::<Uncached>::reset(cx, KVec::new());
    check!(result.is_err_and(|(error, blocks)| error == EINVAL && blocks.is_empty()));
    Ok(())
}

fn used_in_softirq(cx: &mut Task) -> Result {
    let mut blocks = attributed::<WriteCombined>(cx, blocks(cx)?)?;
    let blocks = in_softirq(cx, move |_| {
        blocks[1].write(|pages| pages[7].fill(0x66));
        blocks
    })?;
    check!(blocks[1].read(|pages| pages[7].iter().all(|&byte| byte == 0x66)));
    Ok(())
}

/// Blocks that are dropped become free, and are write-back before.
fn dropped(
    cx: &mut Task,
    drop: fn(&mut Task, KVec<AttributedPages<WriteCombined>>) -> Result,
) -> Result {
    for _ in 0..20 {
        let blocks = blocks(cx)?;
        let (all, mut heads) = (addresses(&blocks)?, heads(&blocks)?);
        let blocks = attributed(cx, blocks)?;
        check!(are_free(&heads) == 0);
        drop(cx, blocks)?;

        // Other code may soon be given some of these pages.
        eventually(|| {
            heads.retain(|&mut head| !probe::is_free(head));
            heads.len() < ORDERS.len() / 2
        })?;
        check!(all_are(WRITE_BACK, &all));
    }
    Ok(())
}

/// Pages that are leaked keep their attribute, and are not freed.
fn leaked(cx: &mut Task) -> Result {
    let mut block = KVec::new();
    block.push(
        ExclusivePages::alloc(cx, GfpKernel, 0, Place::Any)?.zeroed(),
        GFP_KERNEL,
    )?;
    let address = block[0].as_ptr() as usize;
    for block in attributed::<Uncached>(cx, block)? {
        core::mem::forget(block);
    }
    // A work of the kernel that had the page would be done by then.
    dropped(cx, |_, blocks| Ok(drop(blocks)))?;
    check!(all_are(Uncached::TYPES, &[address]) && !probe::is_free(address));
    probe::rescue(cx, address, 0);
    Ok(())
}

/// If the kernel refuses an attribute, the error has all pages, and they are write-back.
fn set_refused(cx: &mut Task) -> Result {
    let blocks = blocks(cx)?;
    let addresses = addresses(&blocks)?;
    let Some(refusal) = Refusal::of(cx, Function::Set, 1)? else {
        return Ok(());
    };
    let result = AttributedPages::<WriteCombined>::set(cx, blocks);
    check!(refusal.left() == 0);
    let Err((error, blocks)) = result else {
        return Err(EINVAL);
    };
    check!(error == ENOMEM && blocks.len() == ORDERS.len());
    check!(blocks.iter().all(|block| are_intact(block)));
    check!(all_are(WRITE_BACK, &addresses));
    Ok(())
}

/// If the kernel then refuses to undo it, too, the pages are lost.
fn set_lost(cx: &mut Task) -> Result {
    let blocks = blocks(cx)?;
    let heads = heads(&blocks)?;
    let Some(set) = Refusal::of(cx, Function::Set, 1)? else {
        return Ok(());
    };
    let reset = Refusal::of(cx, Function::Reset, 1)?.ok_or(EINVAL)?;
    let result = AttributedPages::<WriteCombined>::set(cx, blocks);
    check!(set.left() == 0 && reset.left() == 0);
    check!(result.is_err_and(|(error, blocks)| error == ENOMEM && blocks.is_empty()));
    check!(are_free(&heads) == 0);
    rescue(cx, &heads);
    Ok(())
}

/// If the kernel refuses to make pages write-back, the error has them, and they can be used.
fn reset_refused(cx: &mut Task) -> Result {
    let blocks = blocks(cx)?;
    let addresses = addresses(&blocks)?;
    let blocks = attributed::<WriteCombined>(cx, blocks)?;
    let Some(refusal) = Refusal::of(cx, Function::Reset, 1)? else {
        return Ok(());
    };
    let result = AttributedPages::reset(cx, blocks);
    check!(refusal.left() == 0);
    let Err((error, blocks)) = result else {
        return Err(EINVAL);
    };
    check!(error == ENOMEM && all_are(WriteCombined::TYPES, &addresses));
    check!(blocks.iter().all(|block| block.read(are_intact)));
    let blocks = AttributedPages::reset(cx, blocks).map_err(|(error, _)| error)?;
    check!(all_are(WRITE_BACK, &addresses));
    check!(blocks.iter().all(|block| are_intact(block)));
    Ok(())
}

/// If the kernel refuses to make dropped pages write-back, they are lost.
fn dropped_lost(cx: &mut Task) -> Result {
    let blocks = blocks(cx)?;
    let (addresses, heads) = (addresses(&blocks)?, heads(&blocks)?);
    let blocks = attributed::<WriteCombined>(cx, blocks)?;
    let Some(refusal) = Refusal::of(cx, Function::Reset, 1)? else {
        return Ok(());
    };
    under_spinlock(cx, |_| drop(blocks))?;
    eventually(|| refusal.left() == 0)?;
    drop(refusal);
    // Pages that are dropped later are freed, and by then these would be, too.
    dropped(cx, |_, blocks| Ok(drop(blocks)))?;
    check!(all_are(WriteCombined::TYPES, &addresses));
    check!(are_free(&heads) == 0);
    rescue(cx, &heads);
    Ok(())
}
