// SPDX-License-Identifier: GPL-2.0

//! Guarded pages go from holder to holder.

#![forbid(unsafe_code)]

use crate::case::{
    check,
    everywhere,
    Case, //
};
use kernel::prelude::*;
use labyrinth::{
    context::Context,
    AllowedIn,
    Atomic,
    ExclusivePage,
    Guarded, //
};

pub(crate) const CASES: &[&[Case]] = &[
    everywhere!("guard_there_and_back", there_and_back),
    everywhere!("guard_passed_on", passed_on),
];

fn guarded<C: Context>(cx: &C) -> Result<Guarded>
where
    Atomic: AllowedIn<C>,
{
    let page = ExclusivePage::alloc(cx, Atomic)?.zeroed();
    let mut guarded = Guarded::new(cx, page.into());
    guarded.fill(0x42);
    Ok(guarded)
}

fn there_and_back<C: Context>(cx: &C) -> Result
where
    Atomic: AllowedIn<C>,
{
    let guarded = guarded(cx)?;
    let payload = guarded.len();
    let Ok(pages) = guarded.open() else {
        return Err(EIO);
    };
    let bytes = pages.iter().flat_map(|page| page.iter());
    check!(bytes.filter(|&&byte| byte == 0x42).count() >= payload);
    Ok(())
}

/// Passes guarded pages on twice, then drops them.
fn passed_on<C: Context>(cx: &C) -> Result
where
    Atomic: AllowedIn<C>,
{
    let mut guarded = guarded(cx)?.hand_over(cx).hand_over(cx);
    check!(guarded.iter().all(|&byte| byte == 0x42));
    check!(guarded.check().is_ok());
    Ok(())
}
