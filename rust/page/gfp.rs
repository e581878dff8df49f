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

use super::calls::{
    AllocPages,
    AllocPagesNoLock,
    CalledIn,
    Calls, //
};
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

/// A set of allocation flags, and the functions of the kernel that it is for.
///
/// # Safety
///
/// `RAW` must not contain `__GFP_HIGHMEM`: the page must be in the linear mapping.
pub unsafe trait Gfp: Copy {
    /// The name that the kernel documentation uses, without modifiers.
    const NAME: &'static str;

    /// The flags as numbers, as C takes them.
    const RAW: u32;

    /// The functions that allocate with these flags.
    type Calls: Calls;

    /// Returns the flags as numbers, as C takes them.
    #[inline(always)]
    fn raw(self) -> u32 {
        Self::RAW
    }
}

/// Flags that may be used in the context `C`.
///
/// # Safety
///
/// The functions [`Gfp::Calls`] must be allowed with these flags in the context that `C` stands
/// for. In particular, they must not sleep unless `C` is [`MaySleep`]. If [`Calls::FREES`] is true,
/// pages may be freed in that context.
pub unsafe trait AllowedIn<C: Context>: Gfp<Calls: CalledIn<C>> {}

/// Flags that work with the slab allocator, too. The slab allocator may be called wherever they are
/// [`AllowedIn`], because it calls the page allocator with them.
pub trait SlabGfp: Gfp {
    /// Returns the flags as the kernel crate takes them.
    fn flags() -> Flags;
}

impl SlabGfp for GfpAtomic {
    fn flags() -> Flags {
        GFP_ATOMIC
    }
}

impl SlabGfp for GfpNoWait {
    fn flags() -> Flags {
        GFP_NOWAIT
    }
}

impl SlabGfp for GfpKernel {
    fn flags() -> Flags {
        GFP_KERNEL
    }
}

impl<G: SlabGfp> SlabGfp for NoWarn<G> {
    fn flags() -> Flags {
        G::flags() | __GFP_NOWARN
    }
}

/// `GFP_ATOMIC`: never sleeps or reclaims, may use a part of the emergency reserve, and may fail.
///
/// Contexts: all that are [`PlainAlloc`]. So never in NMI, and on PREEMPT_RT neither in hard
/// interrupts nor with interrupts disabled nor under a `raw_spinlock_t`.
#[derive(Clone, Copy)]
pub struct GfpAtomic;

// SAFETY: `GFP_ATOMIC` does not contain `__GFP_HIGHMEM`.
unsafe impl Gfp for GfpAtomic {
    const NAME: &'static str = "GFP_ATOMIC";
    const RAW: u32 = bindings::GFP_ATOMIC;
    type Calls = AllocPages;
}

// SAFETY: `GFP_ATOMIC` does not contain `__GFP_DIRECT_RECLAIM`, so it does not sleep, and is meant
// for all contexts in which the allocator's locks may be taken.
unsafe impl<C: PlainAlloc> AllowedIn<C> for GfpAtomic {}

/// `GFP_NOWAIT`: never sleeps, and never goes below the min watermark, so it does not use the
/// emergency reserve. A failure prints nothing.
///
/// Contexts: as for [`GfpAtomic`].
#[derive(Clone, Copy)]
pub struct GfpNoWait;

// SAFETY: `GFP_NOWAIT` does not contain `__GFP_HIGHMEM`.
unsafe impl Gfp for GfpNoWait {
    const NAME: &'static str = "GFP_NOWAIT";
    const RAW: u32 = bindings::GFP_NOWAIT;
    type Calls = AllocPages;
}

// SAFETY: `GFP_NOWAIT` is `GFP_ATOMIC` without access to the emergency reserve.
unsafe impl<C: PlainAlloc> AllowedIn<C> for GfpNoWait {}

/// `GFP_KERNEL`: may sleep, reclaim and write back. A request for an order-0 page hardly ever
/// fails; the OOM killer is called first.
#[derive(Clone, Copy)]
pub struct GfpKernel;

// SAFETY: `GFP_KERNEL` does not contain `__GFP_HIGHMEM`.
unsafe impl Gfp for GfpKernel {
    const NAME: &'static str = "GFP_KERNEL";
    const RAW: u32 = bindings::GFP_KERNEL;
    type Calls = AllocPages;
}

// SAFETY: `C` may sleep.
unsafe impl<C: MaySleep> AllowedIn<C> for GfpKernel {}

/// No flags, for `alloc_pages_nolock()`: waits for no lock, never uses the emergency reserve, and
/// fails more often than `alloc_pages()`, because it fails whenever it would have to wait.
///
/// Contexts: all, also NMI, and on PREEMPT_RT hard interrupts, with interrupts disabled and under a
/// `raw_spinlock_t`. The page may have to be dropped elsewhere, because `__free_pages()` may be
/// forbidden there.
#[derive(Clone, Copy)]
pub struct GfpNoLock;

// SAFETY: 0 does not contain `__GFP_HIGHMEM`.
unsafe impl Gfp for GfpNoLock {
    const NAME: &'static str = "nolock";
    const RAW: u32 = 0;
    type Calls = AllocPagesNoLock;
}

// SAFETY: `alloc_pages_nolock()` is allowed in any context.
unsafe impl<C: Context> AllowedIn<C> for GfpNoLock {}

/// `__GFP_NOWARN` added to `G`: a failure prints nothing. This is for callers that count failures
/// themselves. Printing a stack from a softirq takes longer than everything that labyrinth
/// measures.
#[derive(Clone, Copy)]
pub struct NoWarn<G>(pub G);

// SAFETY: `__GFP_NOWARN` is not `__GFP_HIGHMEM`, and `G` does not contain that either.
unsafe impl<G: Gfp> Gfp for NoWarn<G> {
    const NAME: &'static str = G::NAME;
    const RAW: u32 = G::RAW | bindings::__GFP_NOWARN;
    type Calls = G::Calls;
}

// SAFETY: `__GFP_NOWARN` only keeps the allocator from printing.
unsafe impl<C: Context, G: AllowedIn<C>> AllowedIn<C> for NoWarn<G> {}

/// `__GFP_RETRY_MAYFAIL` added to `G`: the allocator tries hard, but fails instead of waking the
/// OOM killer.
#[derive(Clone, Copy)]
pub struct MayFail<G>(pub G);

// SAFETY: `__GFP_RETRY_MAYFAIL` is not `__GFP_HIGHMEM`, and `G` does not contain that either.
unsafe impl<G: Gfp> Gfp for MayFail<G> {
    const NAME: &'static str = G::NAME;
    const RAW: u32 = G::RAW | helpers::LABYRINTH_GFP_RETRY_MAYFAIL;
    type Calls = G::Calls;
}

// SAFETY: `__GFP_RETRY_MAYFAIL` only lets the allocator give up.
unsafe impl<C: Context, G: AllowedIn<C>> AllowedIn<C> for MayFail<G> {}

/// `__GFP_KSWAPD_RECLAIM` removed from `G`: the request does not wake `kswapd` when memory is low.
/// For code that must not cause reclaim.
#[derive(Clone, Copy)]
pub struct NoKswapd<G>(pub G);

// SAFETY: No flag is added, and `G` does not contain `__GFP_HIGHMEM`.
unsafe impl<G: Gfp> Gfp for NoKswapd<G> {
    const NAME: &'static str = G::NAME;
    const RAW: u32 = G::RAW & !helpers::LABYRINTH_GFP_KSWAPD_RECLAIM;
    type Calls = G::Calls;
}

// SAFETY: Without the flag, the allocator does less.
unsafe impl<C: Context, G: AllowedIn<C>> AllowedIn<C> for NoKswapd<G> {}

/// `__GFP_MOVABLE` added to `G`, for code that takes most of the memory for a short time. The pages
/// come from page blocks for movable pages, although the kernel cannot move them. Without the flag,
/// the allocator would convert these page blocks to another type, and boost the watermarks each
/// time. On a machine with CMA areas, such a request can take pages from these areas.
#[derive(Clone, Copy)]
pub struct Movable<G>(pub G);

// SAFETY: `__GFP_MOVABLE` is not `__GFP_HIGHMEM`, and `G` does not contain that either.
unsafe impl<G: Gfp> Gfp for Movable<G> {
    const NAME: &'static str = G::NAME;
    const RAW: u32 = G::RAW | helpers::LABYRINTH_GFP_MOVABLE;
    type Calls = G::Calls;
}

// SAFETY: `__GFP_MOVABLE` only chooses among the free pages.
unsafe impl<C: Context, G: AllowedIn<C>> AllowedIn<C> for Movable<G> {}
