// SPDX-License-Identifier: GPL-2.0

//! The file `/sys/kernel/debug/labyrinth_transfers/hold`, for `tests/selftests/allocinfo.py`. It
//! holds pages that are charged to lines of this module. Each write drops the pages that were held
//! before:
//!
//! ```text
//! page         holds a page, which is charged to the line held_page
//! block        holds a block of four pages, which is charged to the line held_block
//! uncached     holds an uncached block of four pages, which is charged to the line held_block
//! given        gives the page that is held to the kernel crate, and holds it as such
//! nothing      holds nothing
//! ```

#![forbid(unsafe_code)]

use crate::control::Files;
use kernel::{
    page::Page,
    prelude::*, //
};
use labyrinth::{
    call_site,
    context::Task,
    debugfs::Store,
    AttributedPages,
    Bytes,
    ExclusivePage,
    ExclusivePages,
    GfpKernel,
    Place,
    Uncached,
    Uninit, //
};

/// The pages that are held.
pub(crate) enum Held {
    Nothing,
    Page(ExclusivePage<Bytes>),
    Block {
        _pages: ExclusivePages<Uninit>,
    },
    Uncached {
        _blocks: KVec<AttributedPages<Uncached>>,
    },
    Given {
        _page: Page,
    },
}

fn block(cx: &Task) -> Result<ExclusivePages<Uninit>> {
    let mut pages = ExclusivePages::alloc(cx, GfpKernel, 2, Place::Any)?;
    pages.charge(call_site!(held_block));
    Ok(pages)
}

/// The file `hold`.
pub(crate) struct Hold;

impl Store<Files> for Hold {
    fn store(cx: &Task, files: &Files, text: &CStr) -> Result {
        let mut held = files.held.lock();
        *held = match (
            text.to_bytes(),
            core::mem::replace(&mut *held, Held::Nothing),
        ) {
            (b"page", _) => {
                let mut page = ExclusivePage::alloc(cx, GfpKernel)?.zeroed();
                page.charge(call_site!(held_page));
                Held::Page(page)
            }
            (b"block", _) => Held::Block { _pages: block(cx)? },
            (b"uncached", _) => {
                let mut blocks = KVec::new();
                blocks.push(block(cx)?.zeroed(), GFP_KERNEL)?;
                Held::Uncached {
                    _blocks: AttributedPages::set(cx, blocks).map_err(|(error, _)| error)?,
                }
            }
            (b"given", Held::Page(page)) => Held::Given { _page: page.into() },
            (b"nothing", _) => Held::Nothing,
            _ => return Err(EINVAL),
        };
        Ok(())
    }
}
