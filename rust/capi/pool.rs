// SPDX-License-Identifier: GPL-2.0

//! A pool of C modules.

use crate::{
    ffi::{
        context::{
            PlainAlloc,
            Task, //
        },
        exports::Foreign,
        percpu::counters::CpuCounters,
        sync::handles::Handle, //
    },
    page::{
        into_foreign,
        ExclusivePages,
        Form,
        Uninit, //
    },
    pool::{
        PoolManager,
        Priority,
        RegisteredPool,
        Request, //
    }, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::Arc, //
};

/// A pool, and how many of its blocks are out with C.
pub(super) struct Pool {
    pool: Arc<RegisteredPool>,
    flow: CpuCounters<2>,
}

/// The index of the counter of blocks that were handed out.
const GIVEN: usize = 0;
/// The index of the counter of blocks that were given back.
const BACK: usize = 1;

impl Pool {
    /// Task context only, may sleep.
    pub(super) fn new(pool: Arc<RegisteredPool>) -> Result<Arc<Self>, AllocError> {
        let flow = CpuCounters::new()?;
        Arc::new(Self { pool, flow }, GFP_KERNEL)
    }

    /// Returns the manager that makes further pools.
    pub(super) fn manager(&self) -> &Arc<PoolManager> {
        self.pool.manager()
    }

    /// The name.
    pub(super) fn name(&self) -> &CStr {
        self.pool.name()
    }

    /// The order of a block.
    #[inline]
    pub(super) fn order(&self) -> u32 {
        self.pool.config().order
    }

    /// The form of a block.
    #[inline]
    pub(super) fn form(&self) -> Form {
        self.pool.form()
    }

    /// Returns how many blocks are out. The number is exact if no block is handed out or given back
    /// during the call. Any context.
    pub(super) fn out(&self) -> i64 {
        // Read this counter first: each block that it counts was handed out before.
        let back = self.flow.sum(BACK);
        self.flow.sum(GIVEN).wrapping_sub(back) as i64
    }

    /// Hands out a block.
    #[inline]
    pub(super) fn get<C: PlainAlloc>(&self, cx: &C, handle: Handle) -> Option<Foreign> {
        let pages = self.pool.get(cx, &mut Request::new(Priority::High))?;
        self.flow.add(GIVEN, 1);
        Some(into_foreign(pages, handle))
    }

    /// Hands out up to `wanted` blocks, and returns how many.
    pub(super) fn get_bulk<C: PlainAlloc>(
        &self,
        cx: &C,
        handle: Handle,
        wanted: usize,
        mut sink: impl FnMut(Foreign),
    ) -> usize {
        self.pool.get_bulk(cx, Priority::High, wanted, |pages| {
            self.flow.add(GIVEN, 1);
            sink(into_foreign(pages, handle));
        })
    }

    /// Takes back a block that was handed out.
    #[inline]
    pub(super) fn put<C: PlainAlloc>(&self, cx: &C, pages: ExclusivePages<Uninit>) {
        self.flow.add(BACK, 1);
        self.pool.put(cx, pages);
    }

    /// Notes that a block that was handed out does not come back.
    pub(super) fn forget_one(&self) {
        self.flow.add(BACK, 1);
    }

    /// Fills each CPU's cache up to `per_cpu` blocks, and the reserve.
    pub(super) fn prime(&self, cx: &Task, per_cpu: usize) {
        self.pool.prime(cx, per_cpu);
    }
}
