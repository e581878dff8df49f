// SPDX-License-Identifier: GPL-2.0

//! labyrinth's pool of pages that keep their cache attribute.

use super::peers::Peer;
use kernel::prelude::*;
use labyrinth::{
    context::{
        with_task,
        PlainAlloc, //
    },
    pool::AttributedPool,
    AttributedPages,
    WriteCombined, //
};

/// A write-combined page from a pool that has one.
pub(super) struct Kept(AttributedPool<WriteCombined>);

impl Peer for Kept {
    const NAME: &'static str = "attributed_pool";
    type Item = AttributedPages<WriteCombined>;

    fn prepare(order: u32, batch: usize) -> Result<Self> {
        with_task(|cx| {
            let pool = AttributedPool::new(cx, c"bench_attributed", order, batch)?;
            pool.fill(cx, batch)?;
            Ok(Self(pool))
        })?
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, _cx: &C) -> Option<Self::Item> {
        self.0.get()
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, _cx: &C, item: Self::Item) {
        self.0.put(item);
    }
}

/// The same, with a page that is cleared before it goes back.
pub(super) struct Cleared(Kept);

impl Peer for Cleared {
    const NAME: &'static str = "attributed_pool_cleared";
    type Item = AttributedPages<WriteCombined>;

    fn prepare(order: u32, batch: usize) -> Result<Self> {
        Kept::prepare(order, batch).map(Self)
    }

    #[inline]
    fn get<C: PlainAlloc>(&mut self, cx: &C) -> Option<Self::Item> {
        self.0.get(cx)
    }

    #[inline]
    fn put<C: PlainAlloc>(&mut self, cx: &C, mut item: Self::Item) {
        item.write(|pages| pages.as_flattened_mut().fill(0));
        self.0.put(cx, item);
    }
}
