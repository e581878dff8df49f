// SPDX-License-Identifier: GPL-2.0

//! The kernel's mempool, with `GFP_ATOMIC`.

use super::contestant::{
    Contestant,
    Level, //
};
use crate::ffi::mempool::Mempool;
use labyrinth::{
    context::PlainAlloc,
    GfpAtomic,
    NoWarn, //
};

impl<C: PlainAlloc> Contestant<C> for Mempool {
    #[inline]
    fn take(&mut self, cx: &C) -> bool {
        self.alloc(cx, NoWarn(GfpAtomic))
    }

    fn release_all(&mut self, _cx: &C) {
        self.free_all();
    }

    fn level(&self) -> Option<Level> {
        Some(Level {
            now: self.filled().into(),
            full: self.reserve().into(),
        })
    }
}
