// SPDX-License-Identifier: GPL-2.0

//! Shares pages with the host of a confidential guest. Outside of one the kernel refuses, and then
//! most cases make the kernel pretend that there is a host.

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
    pages::filled,
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
    Bytes,
    ExclusivePages,
    GfpKernel,
    HostPages,
    Place, //
};

pub(crate) const CASES: &[&[Case]] = &[&[
    Case {
        name: "host_refused",
        run: refused,
    },
    Case {
        name: "host_there_and_back",
        run: there_and_back,
    },
    Case {
        name: "host_copies",
        run: copies,
    },
    Case {
        name: "host_share_lost",
        run: share_lost,
    },
    Case {
        name: "host_take_back_lost",
        run: take_back_lost,
    },
    Case {
        name: "host_dropped_lost",
        run: dropped_lost,
    },
    Case {
        name: "host_dropped_task",
        run: |cx| dropped(cx, |_, pages| Ok(drop(pages))),
    },
    Case {
        name: "host_dropped_spinlock",
        run: |cx| dropped(cx, |cx, pages| under_spinlock(cx, |_| drop(pages))),
    },
    Case {
        name: "host_dropped_softirq",
        run: |cx| dropped(cx, |cx, pages| in_softirq(cx, |_| drop(pages))),
    },
    #[cfg(not(CONFIG_PREEMPT_RT))]
    Case {
        name: "host_dropped_hard_irq",
        run: |cx| dropped(cx, |cx, pages| in_hard_irq(cx, |_| drop(pages))),
    },
]];

const SECRET: u8 = 0x5e;
const ORDER: u32 = 2;
const SIZE: usize = PAGE_SIZE << ORDER;

fn block(cx: &Task) -> Result<ExclusivePages<Bytes>> {
    let mut block = ExclusivePages::alloc(cx, GfpKernel, ORDER, Place::Any)?.zeroed();
    block.as_flattened_mut().fill(SECRET);
    Ok(block)
}

/// Shares pages with a host, which may be pretended. `None` if this kernel cannot do that.
fn share(cx: &Task) -> Result<Option<HostPages>> {
    let Some(_pretended) = Refusal::of(cx, Function::PretendHost, c_int::MAX)? else {
        return Ok(None);
    };
    HostPages::share(cx, block(cx)?)
        .map(Some)
        .map_err(|(error, _)| error)
}

/// Outside of a confidential guest the error has the pages, unchanged.
fn refused(cx: &mut Task) -> Result {
    let page = filled(cx, SECRET)?;
    let pfn = page.pfn();
    match HostPages::share(cx, page) {
        Ok(_) => check!(probe::confidential()),
        Err((error, pages)) => {
            let pages = pages.ok_or(EINVAL)?;
            check!(error == EOPNOTSUPP && !probe::confidential() && pages.pfn() == pfn);
            check!(pages.as_flattened().iter().all(|&byte| byte == SECRET));
        }
    }
    Ok(())
}

/// The contents survive neither way, so that the host sees none, and nobody trusts its own.
fn there_and_back(cx: &mut Task) -> Result {
    let Some(mut pages) = share(cx)? else {
        return Ok(());
    };
    let pfn = pages.pfn();
    check!(pages.order() == ORDER);
    let mut copy = [SECRET; 64];
    for offset in (0..SIZE).step_by(copy.len()) {
        pages.read(offset, &mut copy)?;
        check!(copy == [0; 64]);
    }
    pages.write(0, &[SECRET; PAGE_SIZE])?;
    let pages = pages.take_back(cx)?;
    check!(pages.pfn() == pfn && pages.order() == ORDER);
    check!(pages.as_flattened().iter().all(|&byte| byte == 0));
    Ok(())
}

fn copies(cx: &mut Task) -> Result {
    let Some(mut pages) = share(cx)? else {
        return Ok(());
    };
    let mut four = [0; 4];
    pages.write(SIZE - 4, &[1, 2, 3, 4])?;
    pages.read(SIZE - 4, &mut four)?;
    check!(four == [1, 2, 3, 4]);
    pages.write(PAGE_SIZE - 2, &[5, 6, 7, 8])?;
    pages.read(PAGE_SIZE - 1, &mut four)?;
    check!(four == [6, 7, 8, 0]);
    pages.read(SIZE, &mut [])?;
    for offset in [SIZE - 3, SIZE, SIZE + 1, usize::MAX - 1] {
        check!(pages.write(offset, &[9; 4]) == Err(EINVAL));
        check!(pages.read(offset, &mut four) == Err(EINVAL));
    }
    check!(pages.read(SIZE + 1, &mut []) == Err(EINVAL));
    pages.read(SIZE - 4, &mut four)?;
    check!(four == [1, 2, 3, 4]);
    Ok(())
}

/// If the kernel fails to share pages, nobody gets them.
fn share_lost(cx: &mut Task) -> Result {
    let block = block(cx)?;
    let address = block.as_ptr() as usize;
    let Some(_pretended) = Refusal::of(cx, Function::PretendHost, c_int::MAX)? else {
        return Ok(());
    };
    let refusal = Refusal::of(cx, Function::Share, 1)?.ok_or(EINVAL)?;
    let result = HostPages::share(cx, block);
    check!(refusal.left() == 0);
    check!(matches!(result, Err((error, None)) if error == ENOMEM));
    check!(!probe::is_free(address));
    probe::rescue(cx, address, ORDER);
    Ok(())
}

/// The address of the first page in the linear mapping.
fn address_of(pages: &HostPages) -> usize {
    probe::address_of(pages.pfn())
}

/// If the kernel fails to take pages back, nobody gets them.
fn take_back_lost(cx: &mut Task) -> Result {
    let Some(pages) = share(cx)? else {
        return Ok(());
    };
    let address = address_of(&pages);
    let refusal = Refusal::of(cx, Function::TakeBack, 1)?.ok_or(EINVAL)?;
    let result = pages.take_back(cx);
    check!(refusal.left() == 0 && result.is_err_and(|error| error == ENOMEM));
    check!(!probe::is_free(address));
    probe::rescue(cx, address, ORDER);
    Ok(())
}

/// If the kernel fails to take dropped pages back, they are not freed.
fn dropped_lost(cx: &mut Task) -> Result {
    let Some(pages) = share(cx)? else {
        return Ok(());
    };
    let address = address_of(&pages);
    let refusal = Refusal::of(cx, Function::TakeBack, 1)?.ok_or(EINVAL)?;
    under_spinlock(cx, |_| drop(pages))?;
    eventually(|| refusal.left() == 0)?;
    drop(refusal);
    // Pages that are dropped later are freed, and by then these would be, too.
    dropped(cx, |_, pages| Ok(drop(pages)))?;
    check!(!probe::is_free(address));
    probe::rescue(cx, address, ORDER);
    Ok(())
}

/// Pages that are dropped become free, and show nothing to their next owner.
fn dropped(cx: &mut Task, drop: fn(&mut Task, HostPages) -> Result) -> Result {
    let mut seen_free = 0;
    for _ in 0..20 {
        let Some(pages) = share(cx)? else {
            return Ok(());
        };
        let address = address_of(&pages);
        check!(!probe::is_free(address));
        drop(cx, pages)?;
        // Other code may soon be given these pages, which then are in use again.
        let free = eventually_soon(|| probe::is_free(address));
        seen_free += usize::from(free);
    }
    check!(seen_free > 10);
    Ok(())
}

/// Naps until a condition holds, for a tenth of a second at most. Returns whether it holds.
fn eventually_soon(mut condition: impl FnMut() -> bool) -> bool {
    for _ in 0..100 {
        if condition() {
            return true;
        }
        kernel::time::delay::fsleep(kernel::time::Delta::from_millis(1));
    }
    false
}
