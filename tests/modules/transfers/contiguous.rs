// SPDX-License-Identifier: GPL-2.0

//! Allocates more pages in a row than a block of the buddy allocator has, and within bounds.

#![forbid(unsafe_code)]

#[cfg(not(CONFIG_PREEMPT_RT))]
use crate::context::in_hard_irq;
use crate::{
    case::{
        check,
        Case, //
    },
    context::{
        in_softirq,
        under_spinlock, //
    },
    probe, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};
use labyrinth::{
    context::Task,
    Bounds,
    Bytes,
    ContiguousPages,
    Place,
    Secret,
    ZoneLimit,
    MAX_ORDER, //
};

pub(crate) const CASES: &[&[Case]] = &[&[
    Case {
        name: "contiguous_refused",
        run: refused,
    },
    Case {
        name: "contiguous_beyond_orders",
        run: beyond_orders,
    },
    Case {
        name: "contiguous_within_bounds",
        run: within_bounds,
    },
    Case {
        name: "contiguous_rest_is_free",
        run: rest_is_free,
    },
    Case {
        name: "contiguous_secret",
        run: secret,
    },
    Case {
        name: "contiguous_dropped_task",
        run: |cx| dropped(cx, |_, pages| Ok(drop(pages))),
    },
    Case {
        name: "contiguous_dropped_spinlock",
        run: |cx| dropped(cx, |cx, pages| under_spinlock(cx, |_| drop(pages))),
    },
    Case {
        name: "contiguous_dropped_softirq",
        run: |cx| dropped(cx, |cx, pages| in_softirq(cx, |_| drop(pages))),
    },
    #[cfg(not(CONFIG_PREEMPT_RT))]
    Case {
        name: "contiguous_dropped_hard_irq",
        run: |cx| dropped(cx, |cx, pages| in_hard_irq(cx, |_| drop(pages))),
    },
]];

/// Whether this kernel can allocate such pages.
const CAN: bool = cfg!(CONFIG_CONTIG_ALLOC);

fn alloc(cx: &Task, count: usize, bounds: Bounds) -> Result<ContiguousPages<Bytes>> {
    Ok(ContiguousPages::alloc(cx, count, bounds, Place::Any)?.zeroed())
}

fn refused(cx: &mut Task) -> Result {
    let error = |count, align, boundary| {
        let bounds = Bounds {
            align,
            boundary,
            zones: ZoneLimit::None,
        };
        alloc(cx, count, bounds).err()
    };
    check!(error(0, PAGE_SIZE, 0) == Some(EINVAL));
    check!(error(1, 0, 0) == Some(EINVAL));
    check!(error(1, 3 * PAGE_SIZE, 0) == Some(EINVAL));
    check!(error(1, PAGE_SIZE, 3 * PAGE_SIZE) == Some(EINVAL));
    check!(error(5, PAGE_SIZE, 4 * PAGE_SIZE) == Some(EINVAL));
    check!(error(usize::MAX / 2, PAGE_SIZE, 0) == Some(EINVAL));
    // More than all memory.
    let nowhere = if CAN { ENOMEM } else { EOPNOTSUPP };
    check!(error(1 << 40, PAGE_SIZE, 0) == Some(nowhere));
    Ok(())
}

fn beyond_orders(cx: &mut Task) -> Result {
    if !CAN {
        return Ok(());
    }
    // This is no power of two, either.
    let count = (2 << MAX_ORDER) + 3;
    let mut pages = alloc(cx, count, Bounds::default())?;
    check!(pages.len() == count);
    for (page, number) in pages.iter_mut().zip(0_u32..) {
        check!(page.iter().all(|&byte| byte == 0));
        page[..4].copy_from_slice(&number.to_le_bytes());
    }
    let first = pages.pfn();
    for (number, page) in pages.iter().enumerate() {
        check!(page[..4] == (number as u32).to_le_bytes());
        check!(probe::address_of(first + number) == page.as_ptr() as usize);
        check!(!probe::is_free(page.as_ptr() as usize));
    }
    pages.flush(0..count * PAGE_SIZE)
}

fn within_bounds(cx: &mut Task) -> Result {
    if !CAN {
        return Ok(());
    }
    for (count, align, boundary) in [
        (3, 4 << 20, 0),
        (3, PAGE_SIZE, 4 * PAGE_SIZE),
        (3, PAGE_SIZE, 64 << 10),
        (5, 64 << 10, 8 * PAGE_SIZE),
        (1, 1 << 20, PAGE_SIZE),
        (1025, 8 << 20, 8 << 20),
    ] {
        let bounds = Bounds {
            align,
            boundary,
            ..Bounds::default()
        };
        // The kernel places the pages differently each time that some before are held. So few that
        // are side by side cannot all be within the bounds by chance.
        let mut held = KVec::new();
        for _ in 0..if count <= 5 { 12 } else { 3 } {
            let pages = alloc(cx, count, bounds)?;
            let (first, last) = (
                pages.pfn() * PAGE_SIZE,
                (pages.pfn() + count) * PAGE_SIZE - 1,
            );
            check!(pages.len() == count && first % align == 0);
            check!(boundary == 0 || first / boundary == last / boundary);
            held.push(pages, GFP_KERNEL)?;
        }
    }
    let bounds = Bounds {
        zones: ZoneLimit::Dma32,
        ..Bounds::default()
    };
    let pages = alloc(cx, 9, bounds)?;
    check!((pages.pfn() + 9) * PAGE_SIZE <= 1 << 32);
    Ok(())
}

/// The pages that are allocated only for the alignment are free at once.
fn rest_is_free(cx: &mut Task) -> Result {
    if !CAN {
        return Ok(());
    }
    const ALL: usize = 256;
    let bounds = Bounds {
        align: ALL * PAGE_SIZE,
        ..Bounds::default()
    };
    let pages = alloc(cx, 5, bounds)?;
    let first = pages.pfn();
    let is_free = |number: usize| probe::is_free(probe::address_of(first + number));
    check!(!(0..5).any(is_free));
    // Other code may have been given some of these pages.
    check!((5..ALL).filter(|&number| is_free(number)).count() > ALL / 2);
    Ok(())
}

const SECRET: u8 = 0x5e;

fn secret(cx: &mut Task) -> Result {
    if !CAN {
        return Ok(());
    }
    let mut pages = alloc(cx, 3, Bounds::default())?;
    pages.as_flattened_mut().fill(SECRET);
    let address = pages.as_ptr() as usize;
    let secret = Secret::new(pages);
    check!(probe::count(address, 3 * PAGE_SIZE, SECRET)? == 3 * PAGE_SIZE);
    drop(secret);
    // A page that cannot be read shows nothing.
    check!(probe::count(address, 3 * PAGE_SIZE, SECRET).unwrap_or(0) == 0);
    Ok(())
}

/// Pages that are dropped are free, all of them.
fn dropped(cx: &mut Task, drop: fn(&mut Task, ContiguousPages<Bytes>) -> Result) -> Result {
    if !CAN {
        return Ok(());
    }
    const COUNT: usize = 100;
    let mut last_was_free = false;
    for _ in 0..5 {
        let pages = alloc(cx, COUNT, Bounds::default())?;
        let first = pages.pfn();
        drop(cx, pages)?;
        let is_free = |number: &usize| probe::is_free(probe::address_of(first + number));
        // Other code may have been given some of these pages.
        check!((0..COUNT).filter(is_free).count() > COUNT / 2);
        last_was_free |= is_free(&(COUNT - 1));
    }
    check!(last_was_free);
    Ok(())
}
