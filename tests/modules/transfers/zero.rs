// SPDX-License-Identifier: GPL-2.0

//! Checks that zeroed pages are all zeroes, in memory that is known to have had other contents.
//!
//! A page from the allocator proves nothing: the kernel may have cleared it (`init_on_alloc=1`).

#![forbid(unsafe_code)]

use crate::{
    case::{
        check,
        everywhere,
        Case, //
    },
    pages::filled, //
};
use kernel::prelude::*;
use labyrinth::{
    context::{
        Context,
        Task, //
    },
    AllowedIn,
    Bytes,
    ExclusivePages,
    GfpAtomic,
    GfpKernel,
    Place,
    MAX_ORDER, //
};

pub(crate) const CASES: &[&[Case]] = &[
    everywhere!("zero_page", page),
    everywhere!("zero_blocks", blocks),
    &[Case {
        name: "zero_largest",
        run: largest,
    }],
];

const DIRT: u8 = 0x99;

fn page<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    let page = filled(cx, DIRT)?.into_uninit().zeroed();
    check!(page.iter().all(|&byte| byte == 0));
    Ok(())
}

/// Makes the same pages dirty, and zeroes them again.
fn again(pages: ExclusivePages<Bytes>) -> Result {
    let (pfn, order) = (pages.pfn(), pages.order());
    let mut pages = pages;
    pages.as_flattened_mut().fill(DIRT);
    let pages = pages.into_uninit().zeroed();
    check!((pages.pfn(), pages.order(), pages.len()) == (pfn, order, 1 << order));
    check!(pages.as_flattened().iter().all(|&byte| byte == 0));
    Ok(())
}

fn blocks<C: Context>(cx: &C) -> Result
where
    GfpAtomic: AllowedIn<C>,
{
    for order in 0..=3 {
        again(ExclusivePages::alloc(cx, GfpAtomic, order, Place::Any)?.zeroed())?;
    }
    Ok(())
}

fn largest(cx: &mut Task) -> Result {
    again(ExclusivePages::alloc(cx, GfpKernel, MAX_ORDER, Place::Any)?.zeroed())
}
