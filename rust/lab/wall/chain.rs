// SPDX-License-Identifier: GPL-2.0

//! labyrinth's pools.

use super::contestant::{
    Contestant,
    Level, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    context::{
        PlainAlloc,
        Task, //
    },
    pool::{
        AutoReserve,
        Excluded,
        PoolConfig,
        Priority,
        RegisteredPool,
        Request,
        Reserve, //
    },
    ExclusivePages,
    Place,
    Pool,
    Uninit, //
};

/// The pages that each CPU's cache can keep: the module's default.
const CACHE: usize = 64;

/// The allocations from below the min watermark that are allowed: the module's default.
const EMERGENCY: u32 = 64;

/// The fate of the pages at the end of a burst.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// They go back to the pool.
    Return,
    /// They go to the allocator without the pool, like pages that a driver has passed on. The pool
    /// must find new ones.
    Consume,
}

/// A pool that gets requests with the highest priority.
pub(super) struct Chain {
    pool: Arc<RegisteredPool>,
    pages: KVVec<ExclusivePages<Uninit>>,
    fate: Fate,
}

impl Chain {
    /// Makes a pool and fills its reserve of `reserve` pages. May sleep.
    pub(super) fn new(cx: &Task, name: &CStr, reserve: usize, fate: Fate) -> Result<Self> {
        let chain = Self::with(cx, name, reserve, reserve, None, fate)?;
        chain.pool.prime(cx, 0);
        Ok(chain)
    }

    /// Makes a pool without a reserve at first, for bursts of up to `most` pages. May sleep.
    pub(super) fn sized(
        cx: &Task,
        name: &CStr,
        most: usize,
        auto: AutoReserve,
        fate: Fate,
    ) -> Result<Self> {
        Self::with(cx, name, most, 0, Some(auto), fate)
    }

    fn with(
        cx: &Task,
        name: &CStr,
        most: usize,
        reserve: usize,
        auto_reserve: Option<AutoReserve>,
        fate: Fate,
    ) -> Result<Self> {
        let config = PoolConfig {
            order: 0,
            compound: false,
            cache: CACHE,
            reserve,
            auto_reserve,
            emergency: EMERGENCY,
            place: Place::Any,
            excluded: Excluded::NOTHING,
        };

        Ok(Self {
            pages: KVVec::with_capacity(most, GFP_KERNEL)?,
            pool: Pool::new(cx, name, config)?,
            fate,
        })
    }

    /// Returns the reserve.
    pub(super) fn reserve(&self) -> &Reserve {
        self.pool.reserve()
    }
}

impl<C: PlainAlloc> Contestant<C> for Chain {
    #[inline]
    fn take(&mut self, cx: &C) -> bool {
        self.pool
            .get(cx, &mut Request::new(Priority::High))
            .is_some_and(|page| self.pages.push_within_capacity(page).is_ok())
    }

    fn release_all(&mut self, cx: &C) {
        while let Some(page) = self.pages.pop() {
            match self.fate {
                Fate::Return => self.pool.put(cx, page),
                Fate::Consume => drop(page),
            }
        }
    }

    fn level(&self) -> Option<Level> {
        let reserve = self.pool.reserve();

        Some(Level {
            now: reserve.level() as u64,
            full: reserve.target().pages() as u64,
        })
    }
}
