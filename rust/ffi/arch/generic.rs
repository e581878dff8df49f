// SPDX-License-Identifier: GPL-2.0

//! For architectures without a file of their own. C helpers access the words of this CPU.

/// The physical addresses that the zones DMA32 and Normal begin at. 0 stands for an address that
/// only the kernel knows.
pub(crate) const ZONE_STARTS: [u64; 2] = [0, 0];

/// The token of a [`CpuCell`](crate::ffi::percpu::cell::CpuCell), taken and given back.
pub(in crate::ffi) mod token {
    use crate::ffi::helpers;
    use core::{
        ffi::c_void,
        ptr::NonNull, //
    };

    /// Takes the token of this CPU.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation that begins with a token.
    #[inline]
    pub(in crate::ffi) unsafe fn take(base: NonNull<c_void>) -> Option<NonNull<c_void>> {
        // SAFETY: As the caller promises.
        NonNull::new(unsafe { helpers::labyrinth_token_take(base.as_ptr()) })
    }

    /// Gives a token back.
    ///
    /// # Safety
    ///
    /// `word` must be the token's word, which the caller has taken it from.
    #[inline]
    pub(in crate::ffi) unsafe fn give_back(word: *mut c_void, token: NonNull<c_void>) {
        // SAFETY: As the caller promises.
        unsafe { helpers::labyrinth_token_give_back(word, token.as_ptr()) };
    }
}

/// Updates of a CPU's own counters.
pub(in crate::ffi) mod counter {
    use crate::ffi::helpers;
    use core::{
        ffi::c_void,
        ptr::NonNull, //
    };

    /// Adds to a word of this CPU.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation with more than `index` words.
    #[inline]
    pub(in crate::ffi) unsafe fn add(base: NonNull<c_void>, index: usize, n: u64) {
        // SAFETY: As the caller promises.
        unsafe { helpers::labyrinth_percpu_add(base.as_ptr(), index, n) };
    }

    /// Adds 1 to a word of this CPU: the one with this index after the first `HEAD` words.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation with more than `HEAD + index` words.
    #[inline]
    pub(in crate::ffi) unsafe fn increment_after<const HEAD: usize>(
        base: NonNull<c_void>,
        index: usize,
    ) {
        // SAFETY: As the caller promises.
        unsafe { add(base, HEAD + index, 1) };
    }

    /// Adds to the word of a fixed index of this CPU.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation with more than `INDEX` words.
    #[inline]
    pub(in crate::ffi) unsafe fn add_at<const INDEX: usize>(base: NonNull<c_void>, n: u64) {
        // SAFETY: As the caller promises.
        unsafe { add(base, INDEX, n) };
    }

    /// Adds 1 to the word of a fixed index of this CPU.
    ///
    /// # Safety
    ///
    /// As for [`add_at`].
    #[inline]
    pub(in crate::ffi) unsafe fn increment_at<const INDEX: usize>(base: NonNull<c_void>) {
        // SAFETY: As the caller promises.
        unsafe { add(base, INDEX, 1) };
    }

    /// Whether the word of a fixed index of this CPU is less than `n`.
    ///
    /// # Safety
    ///
    /// As for [`add_at`].
    #[inline]
    pub(in crate::ffi) unsafe fn is_below<const INDEX: usize>(
        base: NonNull<c_void>,
        n: u64,
    ) -> bool {
        // SAFETY: As the caller promises.
        (unsafe { helpers::labyrinth_percpu_read_here(base.as_ptr(), INDEX) }) < n
    }
}
