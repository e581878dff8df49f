// SPDX-License-Identifier: GPL-2.0

//! Calls of pools.

use super::Pool;
use crate::{
    ffi::context::Context,
    page::{
        CalledIn,
        ExclusivePages,
        Uninit, //
    }, //
};
use core::marker::PhantomData;

/// A call of a pool in the context `C`, whose tiers may use the functions `M` of the allocator.
pub(super) struct Call<'a, C, M> {
    pub(super) pool: &'a Pool,
    pub(super) cx: &'a C,
    _functions: PhantomData<M>,
}

impl<'a, C: Context, M: CalledIn<C>> Call<'a, C, M> {
    #[inline(always)]
    pub(super) fn new(pool: &'a Pool, cx: &'a C) -> Self {
        Self {
            pool,
            cx,
            _functions: PhantomData,
        }
    }

    /// Frees pages if that is allowed in this context. Otherwise the refill thread frees them, a
    /// moment later.
    #[inline(always)]
    pub(super) fn free(&self, pages: ExclusivePages<Uninit>) {
        if M::FREES {
            drop(pages);
        } else {
            self.pool.free_later(pages);
        }
    }
}
