// SPDX-License-Identifier: GPL-2.0

//! The functions of the kernel that allocate pages, as types.
//!
//! Each set of flags ([`Gfp`](super::Gfp)) names the functions that it is for, so code that is
//! generic over flags works in all contexts in which they are [`AllowedIn`].
//!
//! C header: [`include/linux/gfp.h`](srctree/include/linux/gfp.h)

use super::{
    gfp::{
        AllowedIn,
        GfpAtomic,
        GfpNoLock,
        GfpNoWait,
        NoWarn, //
    },
    pages::CheckedShape,
    place::Place, //
};
use crate::ffi::{
    context::{
        Context,
        PlainAlloc, //
    },
    helpers, //
};
use core::ptr;
use kernel::bindings;

/// A set of functions that allocate pages. Other crates cannot implement this trait.
pub trait Calls: functions::Functions {
    /// Whether pages may be freed in all contexts in which these functions may be called.
    const FREES: bool;
}

/// A set of functions that may be called in the context `C`, and the flags that pools use with
/// them.
pub trait CalledIn<C: Context>: Calls {
    /// Returns flags that leave the kernel's emergency reserve alone.
    fn nowait() -> impl AllowedIn<C>;

    /// Returns flags that may use a part of the emergency reserve, or `None` if these functions
    /// cannot.
    fn atomic() -> Option<impl AllowedIn<C>>;
}

pub(super) mod functions {
    use super::{
        bindings,
        CheckedShape,
        Context,
        Place, //
    };

    #[allow(unnameable_types, reason = "sealed")]
    pub trait Functions {
        /// Returns whether the functions can allocate such pages.
        fn support(shape: CheckedShape, place: Place) -> bool;

        /// Allocates 2^order pages, which are freed by `__free_pages()`, or returns null.
        ///
        /// # Safety
        ///
        /// The current context must be a `C`, and allocation by these functions with these flags
        /// must be allowed in it. `order` must be at most
        /// [`MAX_ORDER`](super::super::MAX_ORDER).
        unsafe fn alloc<C: Context>(
            gfp: bindings::gfp_t,
            order: u32,
            place: Place,
        ) -> *mut bindings::page;

        /// Allocates single pages, up to one for each element, stores their addresses in the first
        /// elements, and returns how many there are. These elements are not null.
        ///
        /// # Safety
        ///
        /// As for [`Self::alloc`]. All elements must be null before.
        unsafe fn alloc_bulk<C: Context>(
            gfp: bindings::gfp_t,
            pages: &mut [*mut bindings::page],
        ) -> usize;
    }
}

/// `alloc_pages()` and its variants.
///
/// Contexts: all that are [`PlainAlloc`], depending on the flags.
pub enum AllocPages {}

impl Calls for AllocPages {
    const FREES: bool = true;
}

impl<C: PlainAlloc> CalledIn<C> for AllocPages {
    #[inline(always)]
    fn nowait() -> impl AllowedIn<C> {
        GfpNoWait
    }

    #[inline(always)]
    fn atomic() -> Option<impl AllowedIn<C>> {
        Some(NoWarn(GfpAtomic))
    }
}

impl functions::Functions for AllocPages {
    #[inline(always)]
    fn support(_shape: CheckedShape, _place: Place) -> bool {
        true
    }

    #[inline(always)]
    unsafe fn alloc<C: Context>(
        gfp: bindings::gfp_t,
        order: u32,
        place: Place,
    ) -> *mut bindings::page {
        match place {
            // SAFETY: The caller promises that this is allowed.
            Place::Any => unsafe { helpers::labyrinth_alloc_pages(gfp, order, C::INTERRUPTS) },
            // SAFETY: As above; the node is online (invariant of `Node`).
            Place::Near(node) => unsafe {
                helpers::labyrinth_alloc_pages_node(node.number(), gfp, order)
            },
            // SAFETY: As above; `__GFP_THISNODE` only takes choices away.
            Place::Only(node) => unsafe {
                let gfp = gfp | helpers::LABYRINTH_GFP_THISNODE;
                helpers::labyrinth_alloc_pages_node(node.number(), gfp, order)
            },
        }
    }

    #[inline(always)]
    unsafe fn alloc_bulk<C: Context>(
        gfp: bindings::gfp_t,
        pages: &mut [*mut bindings::page],
    ) -> usize {
        // SAFETY: The caller promises that this is allowed. C writes as many pointers as there are
        // elements at most.
        unsafe { helpers::labyrinth_alloc_pages_bulk(gfp, pages.len(), pages.as_mut_ptr()) }
    }
}

/// `alloc_pages_nolock()`, which allocates one page without waiting for any lock.
///
/// Any context: also NMI, and on PREEMPT_RT hard interrupts, with interrupts disabled and under a
/// `raw_spinlock_t`. It takes no flags. It supports neither [`Place::Only`] nor an order above 0
/// nor a limit of the zones.
///
/// The function that frees without a lock is not exported to modules. So where `__free_pages()` is
/// forbidden, pages have to be kept, or sent to code in another context.
pub enum AllocPagesNoLock {}

impl Calls for AllocPagesNoLock {
    const FREES: bool = false;
}

impl<C: Context> CalledIn<C> for AllocPagesNoLock {
    #[inline(always)]
    fn nowait() -> impl AllowedIn<C> {
        GfpNoLock
    }

    #[inline(always)]
    fn atomic() -> Option<impl AllowedIn<C>> {
        None::<GfpNoLock>
    }
}

impl functions::Functions for AllocPagesNoLock {
    #[inline(always)]
    fn support(shape: CheckedShape, place: Place) -> bool {
        shape.is_plain_page() && !matches!(place, Place::Only(_))
    }

    #[inline]
    unsafe fn alloc<C: Context>(
        _gfp: bindings::gfp_t,
        order: u32,
        place: Place,
    ) -> *mut bindings::page {
        let node = match place {
            Place::Any => bindings::NUMA_NO_NODE,
            Place::Near(node) => node.number(),
            Place::Only(_) => return ptr::null_mut(),
        };
        if order != 0 {
            return ptr::null_mut();
        }
        // SAFETY: Allowed in any context; the node is online (invariant of `Node`) or "any".
        unsafe { helpers::labyrinth_alloc_page_nolock(node) }
    }

    #[inline]
    unsafe fn alloc_bulk<C: Context>(
        gfp: bindings::gfp_t,
        pages: &mut [*mut bindings::page],
    ) -> usize {
        for (got, slot) in pages.iter_mut().enumerate() {
            // SAFETY: The caller promises what `alloc` requires.
            *slot = unsafe { Self::alloc::<C>(gfp, 0, Place::Any) };
            if slot.is_null() {
                return got;
            }
        }
        pages.len()
    }
}
