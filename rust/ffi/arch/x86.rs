// SPDX-License-Identifier: GPL-2.0

//! For x86-64. One instruction accesses a word of this CPU, relative to the segment of the per-CPU
//! area.

/// The physical addresses that the zones DMA32 and Normal begin at.
///
/// C header: [`arch/x86/include/asm/dma.h`](srctree/arch/x86/include/asm/dma.h)
pub(crate) const ZONE_STARTS: [u64; 2] = [1 << 24, 1 << 32];

/// The token of a [`CpuCell`](crate::ffi::percpu::cell::CpuCell), taken and given back.
pub(in crate::ffi) mod token {
    use core::{
        arch::asm,
        ffi::c_void,
        ptr::NonNull, //
    };

    /// Takes the token of this CPU.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation that begins with a token.
    #[inline(always)]
    pub(in crate::ffi) unsafe fn take(base: NonNull<c_void>) -> Option<NonNull<c_void>> {
        let token: *mut c_void;
        // SAFETY: The instruction that accesses the word also reads the segment register, so it
        // accesses the copy of the CPU that it runs on. An exchange with memory is always locked.
        unsafe {
            asm!(
                "xchg qword ptr gs:[{base}], {token}",
                base = in(reg) base.as_ptr(),
                token = inout(reg) core::ptr::null_mut::<c_void>() => token,
                options(nostack, preserves_flags)
            )
        };
        NonNull::new(token)
    }

    /// Gives a token back.
    ///
    /// # Safety
    ///
    /// `word` must be the token's word, which the caller has taken it from.
    #[inline(always)]
    pub(in crate::ffi) unsafe fn give_back(word: *mut c_void, token: NonNull<c_void>) {
        // SAFETY: `word` is valid and may be written by the holder. An x86 store is a release, and
        // the compiler moves no access across an `asm!` that may touch memory.
        unsafe {
            asm!(
                "mov qword ptr [{word}], {token}",
                word = in(reg) word,
                token = in(reg) token.as_ptr(),
                options(nostack, preserves_flags)
            )
        };
    }
}

/// Updates of a CPU's own counters. They need no lock prefix: only the CPU itself adds to its
/// words.
pub(in crate::ffi) mod counter {
    use core::{
        arch::asm,
        ffi::c_void,
        ptr::NonNull, //
    };

    /// Adds to a word of this CPU.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation with more than `index` words.
    #[inline(always)]
    pub(in crate::ffi) unsafe fn add(base: NonNull<c_void>, index: usize, n: u64) {
        // SAFETY: The word is in the copy of the CPU that this runs on, and one instruction reads
        // and writes it.
        unsafe {
            asm!(
                "add qword ptr gs:[{base} + 8 * {index}], {n}",
                base = in(reg) base.as_ptr(),
                index = in(reg) index,
                n = in(reg) n,
                options(nostack)
            )
        };
    }

    /// Adds 1 to a word of this CPU: the one with this index after the first `HEAD` words.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation with more than `HEAD + index` words.
    #[inline(always)]
    pub(in crate::ffi) unsafe fn increment_after<const HEAD: usize>(
        base: NonNull<c_void>,
        index: usize,
    ) {
        // SAFETY: As for `add`.
        unsafe {
            asm!(
                "inc qword ptr gs:[{base} + 8 * {index} + {head}]",
                base = in(reg) base.as_ptr(),
                index = in(reg) index,
                head = const 8 * HEAD,
                options(nostack)
            )
        };
    }

    /// Adds to the word of a fixed index of this CPU.
    ///
    /// # Safety
    ///
    /// `base` must be a live per-CPU allocation with more than `INDEX` words.
    #[inline(always)]
    pub(in crate::ffi) unsafe fn add_at<const INDEX: usize>(base: NonNull<c_void>, n: u64) {
        // SAFETY: As for `add`.
        unsafe {
            asm!(
                "add qword ptr gs:[{base} + {offset}], {n}",
                base = in(reg) base.as_ptr(),
                offset = const 8 * INDEX,
                n = in(reg) n,
                options(nostack)
            )
        };
    }

    /// Adds 1 to the word of a fixed index of this CPU.
    ///
    /// # Safety
    ///
    /// As for [`add_at`].
    #[inline(always)]
    pub(in crate::ffi) unsafe fn increment_at<const INDEX: usize>(base: NonNull<c_void>) {
        // SAFETY: As for `add`.
        unsafe {
            asm!(
                "inc qword ptr gs:[{base} + {offset}]",
                base = in(reg) base.as_ptr(),
                offset = const 8 * INDEX,
                options(nostack)
            )
        };
    }

    /// Whether the word of a fixed index of this CPU is less than `n`.
    ///
    /// # Safety
    ///
    /// As for [`add_at`].
    #[inline(always)]
    pub(in crate::ffi) unsafe fn is_below<const INDEX: usize>(
        base: NonNull<c_void>,
        n: u64,
    ) -> bool {
        // SAFETY: As for `add`.
        unsafe {
            asm!(
                "cmp qword ptr gs:[{base} + {offset}], {n}",
                "jb {below}",
                base = in(reg) base.as_ptr(),
                offset = const 8 * INDEX,
                n = in(reg) n,
                below = label { return true },
                options(nostack, readonly)
            )
        };
        false
    }
}
