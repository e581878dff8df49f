// SPDX-License-Identifier: GPL-2.0

//! Safe types over labyrinth's interface.

use super::api;
use core::ptr::NonNull;
use kernel::{
    error::from_err_ptr,
    page::PAGE_SIZE,
    prelude::*, //
};

/// A pool.
///
/// # Invariants
///
/// `pool` is a pool that belongs to this value; `bytes` is the size of its blocks.
pub(crate) struct Pool {
    pool: *mut api::labyrinth_pool,
    bytes: usize,
}

// SAFETY: Pools are not tied to a thread.
unsafe impl Send for Pool {}
// SAFETY: What `&Pool` allows may be called concurrently.
unsafe impl Sync for Pool {}

impl Pool {
    /// Makes a pool. Task context only, may sleep.
    pub(crate) fn new(name: &CStr, order: u32) -> Result<Self> {
        let params = api::labyrinth_pool_params {
            name: name.as_char_ptr(),
            order,
            compound: false,
            cache: 16,
            reserve: 32,
            emergency: 8,
            highest: 0,
        };
        // SAFETY: `params` and the name in it live for the length of the call.
        let pool = from_err_ptr(unsafe { api::labyrinth_pool_create(&params) })?;
        // INVARIANT: Just made, with this order.
        Ok(Self {
            pool,
            bytes: PAGE_SIZE << order,
        })
    }

    /// Prepares for a burst. Task context only, may sleep.
    pub(crate) fn prime(&self, blocks: usize) {
        // SAFETY: A pool, by the invariant.
        unsafe { api::labyrinth_pool_prime(self.pool, blocks as u32) };
    }

    /// A block, if there is one. Wherever `include/labyrinth.h` says "atomic".
    pub(crate) fn alloc(&self) -> Option<Block<'_>> {
        // SAFETY: A pool, by the invariant.
        let address = unsafe { api::labyrinth_pool_alloc(self.pool) };
        // INVARIANT: Just handed out.
        NonNull::new(address).map(|address| Block {
            address,
            pool: self,
        })
    }

    /// Gives up to `N` blocks to `sink`. Contexts as for [`Self::alloc`].
    pub(crate) fn alloc_bulk<const N: usize>(&self, sink: impl FnMut(Block<'_>)) {
        let mut blocks = [core::ptr::null_mut(); N];
        // SAFETY: A pool, by the invariant; there is room for `N` addresses.
        let got =
            unsafe { api::labyrinth_pool_alloc_bulk(self.pool, N as u32, blocks.as_mut_ptr()) };

        blocks
            .into_iter()
            .take(got as usize)
            .filter_map(NonNull::new)
            // INVARIANT: Just handed out.
            .map(|address| Block {
                address,
                pool: self,
            })
            .for_each(sink);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: A pool, by the invariant; no block is out, as blocks borrow the pool.
        unsafe { api::labyrinth_pool_destroy(self.pool) };
    }
}

/// A block.
///
/// # Invariants
///
/// `address` is that of a block that `pool` has handed out, and that belongs to this value.
pub(crate) struct Block<'a> {
    address: NonNull<c_void>,
    pool: &'a Pool,
}

impl Block<'_> {
    /// Sets all bytes, and gives access to them.
    pub(crate) fn fill(&mut self, value: u8) -> &[u8] {
        let bytes = self.address.cast::<u8>();
        // SAFETY: By the invariant so many bytes are ours.
        unsafe { bytes.write_bytes(value, self.pool.bytes) };
        // SAFETY: As above, and they are initialised; `self` is borrowed meanwhile.
        unsafe { core::slice::from_raw_parts(bytes.as_ptr(), self.pool.bytes) }
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        // SAFETY: By the invariant it is out, came from this pool, and is ours.
        unsafe { api::labyrinth_pool_free(self.pool.pool, self.address.as_ptr()) };
    }
}
