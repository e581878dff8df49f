// SPDX-License-Identifier: GPL-2.0

//! Allocation flags as types.
//!
//! A flag that may sleep is only [`AllowedIn`] a context that may sleep, so `GFP_KERNEL` under a
//! spinlock or in a softirq does not compile:
//!
//! ```text
//! error[E0277]: `Softirq` is atomic context, which may not sleep
//! ```
//!
//! C header: [`include/linux/gfp_types.h`](srctree/include/linux/gfp_types.h)

use crate::ffi::{
    context::{
        Context,
        MaySleep,
        PlainAlloc, //
    },
    helpers, //
};
use kernel::{
    alloc::{
        flags::{
            GFP_ATOMIC,
            GFP_KERNEL,
            GFP_NOWAIT,
            __GFP_NOWARN, //
        },
        Flags, //
    },
    bindings, //
};

/// A set of allocation flags.
///
/// # Safety
///
/// `RAW` must not contain `__GFP_HIGHMEM`: the page must be in the linear mapping.
pub unsafe trait Gfp: Copy {
    /// The name of the set as the kernel documentation has it, without modifiers.
    const NAME: &'static str;

    /// The flags as numbers, as C takes them.
    const RAW: u32;
}

/// Flags that may be used in the context `C`.
///
/// # Safety
///
/// `alloc_pages()` must be allowed with these flags in the context that `C` stands for; above all
/// they must not let it sleep where `C` is not [`MaySleep`].
pub unsafe trait AllowedIn<C: Context>: Gfp {}

/// Flags that the slab allocator can be asked with as well, as the kernel crate takes them. Where
/// they are [`AllowedIn`], it may be asked, too: it asks the page allocator.
pub trait SlabGfp: Gfp {
    /// The flags.
    fn flags() -> Flags;
}

impl SlabGfp for Atomic {
    fn flags() -> Flags {
        GFP_ATOMIC
    }
}

impl SlabGfp for NoWait {
    fn flags() -> Flags {
        GFP_NOWAIT
    }
}

impl SlabGfp for Kernel {
    fn flags() -> Flags {
        GFP_KERNEL
    }
}

impl<G: SlabGfp> SlabGfp for NoWarn<G> {
    fn flags() -> Flags {
        G::flags() | __GFP_NOWARN
    }
}

/// `GFP_ATOMIC`: never sleeps and never reclaims, may use a part of the emergency reserve, may
/// fail.
///
/// For every context that is [`PlainAlloc`]: never in NMI, and on PREEMPT_RT neither in hard
/// interrupts nor with interrupts disabled nor under a `raw_spinlock_t`.
#[derive(Clone, Copy)]
pub struct Atomic;

// SAFETY: `GFP_ATOMIC` does not contain `__GFP_HIGHMEM`.
unsafe impl Gfp for Atomic {
    const NAME: &'static str = "GFP_ATOMIC";
    const RAW: u32 = bindings::GFP_ATOMIC;
}

// SAFETY: `GFP_ATOMIC` does not contain `__GFP_DIRECT_RECLAIM`, so it does not sleep, and is meant for
// all contexts in which the allocator's locks may be taken.
unsafe impl<C: PlainAlloc> AllowedIn<C> for Atomic {}

/// `GFP_NOWAIT`: never sleeps, and never goes below the min watermark, so it leaves the emergency
/// reserve alone. Prints nothing when it fails.
///
/// For the contexts of [`Atomic`].
#[derive(Clone, Copy)]
pub struct NoWait;

// SAFETY: `GFP_NOWAIT` does not contain `__GFP_HIGHMEM`.
unsafe impl Gfp for NoWait {
    const NAME: &'static str = "GFP_NOWAIT";
    const RAW: u32 = bindings::GFP_NOWAIT;
}

// SAFETY: `GFP_NOWAIT` is `GFP_ATOMIC` without access to the emergency reserve.
unsafe impl<C: PlainAlloc> AllowedIn<C> for NoWait {}

/// `GFP_KERNEL`: may sleep, reclaim and write back. For an order-0 page it hardly ever fails; the
/// OOM killer comes first.
#[derive(Clone, Copy)]
pub struct Kernel;

// SAFETY: `GFP_KERNEL` does not contain `__GFP_HIGHMEM`.
unsafe impl Gfp for Kernel {
    const NAME: &'static str = "GFP_KERNEL";
    const RAW: u32 = bindings::GFP_KERNEL;
}

// SAFETY: `C` may sleep.
unsafe impl<C: MaySleep> AllowedIn<C> for Kernel {}

/// No flags: what `alloc_pages_nolock()` is told. It goes with
/// [`ExclusivePages::alloc_nolock`](super::ExclusivePages::alloc_nolock) alone, so it is not
/// [`AllowedIn`] any context.
#[derive(Clone, Copy)]
pub struct NoLock;

// SAFETY: 0 does not contain `__GFP_HIGHMEM`.
unsafe impl Gfp for NoLock {
    const NAME: &'static str = "nolock";
    const RAW: u32 = 0;
}

/// `__GFP_NOWARN` added to `G`: a failure prints nothing. For callers that count failures
/// themselves; printing a stack from a softirq takes longer than everything measured here.
#[derive(Clone, Copy)]
pub struct NoWarn<G>(pub G);

// SAFETY: `__GFP_NOWARN` is not `__GFP_HIGHMEM`, and `G` does not contain that either.
unsafe impl<G: Gfp> Gfp for NoWarn<G> {
    const NAME: &'static str = G::NAME;
    const RAW: u32 = G::RAW | bindings::__GFP_NOWARN;
}

// SAFETY: `__GFP_NOWARN` only keeps the allocator from printing.
unsafe impl<C: Context, G: AllowedIn<C>> AllowedIn<C> for NoWarn<G> {}

/// `__GFP_RETRY_MAYFAIL` added to `G`: tries hard, but fails where it would otherwise wake the OOM
/// killer.
#[derive(Clone, Copy)]
pub struct MayFail<G>(pub G);

// SAFETY: `__GFP_RETRY_MAYFAIL` is not `__GFP_HIGHMEM`, and `G` does not contain that either.
unsafe impl<G: Gfp> Gfp for MayFail<G> {
    const NAME: &'static str = G::NAME;
    const RAW: u32 = G::RAW | helpers::LABYRINTH_GFP_RETRY_MAYFAIL;
}

// SAFETY: `__GFP_RETRY_MAYFAIL` only lets the allocator give up.
unsafe impl<C: Context, G: AllowedIn<C>> AllowedIn<C> for MayFail<G> {}
