// SPDX-License-Identifier: GPL-2.0

//! Pages with contents that a case can recognise.

#![forbid(unsafe_code)]

use kernel::prelude::*;
use labyrinth::{
    context::Context,
    AllowedIn,
    Bytes,
    ExclusivePage,
    GfpAtomic, //
};

/// Allocates a page, all of whose bytes are `value`.
pub(crate) fn filled<C: Context>(cx: &C, value: u8) -> Result<ExclusivePage<Bytes>>
where
    GfpAtomic: AllowedIn<C>,
{
    let mut page = ExclusivePage::alloc(cx, GfpAtomic)?.zeroed();
    page.fill(value);
    Ok(page)
}
