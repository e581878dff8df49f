// SPDX-License-Identifier: GPL-2.0

//! Flushes contents of pages. `tests/selftests/transfers.py` watches the calls of the kernel.

#![forbid(unsafe_code)]

use crate::{
    case::{
        check,
        everywhere,
        Case, //
    },
    pages::filled, //
};
use kernel::{
    page::PAGE_SIZE,
    prelude::*, //
};
use labyrinth::{
    context::{
        Context,
        Task, //
    },
    AllowedIn,
    ExclusivePages,
    GfpAtomic,
    GfpKernel,
    Place,
    VmappedPages, //
};

pub(crate) const CASES: &[&[Case]] = &[
    everywhere!("flush_page", page),
    &[
        Case {
            name: "flush_block",
            run: block,
        },
        Case {
            name: "flush_view",
            run: view,
        },
    ],
];

fn page<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let page = filled(cx, 0x3c)?;
    page.flush(0..PAGE_SIZE)?;
    page.flush(100..200)?;
    page.flush(PAGE_SIZE..PAGE_SIZE)?;
    check!(page.flush(0..PAGE_SIZE + 1) == Err(EINVAL));
    check!(page.flush(PAGE_SIZE + 1..PAGE_SIZE + 1) == Err(EINVAL));
    #[allow(clippy::reversed_empty_ranges, reason = "it must be refused")]
    let reversed = 2..1;
    check!(page.flush(reversed) == Err(EINVAL));
    check!(page.iter().all(|&byte| byte == 0x3c));
    Ok(())
}

fn block(cx: &mut Task) -> Result {
    let block = ExclusivePages::alloc(cx, GfpKernel, 2, Place::Any)?.zeroed();
    block.flush(PAGE_SIZE - 1..3 * PAGE_SIZE + 1)?;
    check!(block.flush(0..4 * PAGE_SIZE + 1) == Err(EINVAL));
    Ok(())
}

fn view(cx: &mut Task) -> Result {
    let mut pages = KVec::new();
    for _ in 0..3 {
        pages.push(filled(cx, 0x3c)?, GFP_KERNEL)?;
    }
    let view = VmappedPages::map(cx, pages).map_err(|(error, _)| error)?;
    view.flush(0..3 * PAGE_SIZE)?;
    check!(view.flush(0..3 * PAGE_SIZE + 1) == Err(EINVAL));
    Ok(())
}
