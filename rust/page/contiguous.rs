// SPDX-License-Identifier: GPL-2.0

//! [`ContiguousPages`]: more pages in a row than the buddy allocator has in a block.
//!
//! The largest block of the buddy allocator has 2¹⁰ pages, and each block is aligned to its own
//! size. Some devices need more memory in a row, or memory that is aligned to more than its size.
//! `alloc_contig_pages()` makes room for that: it moves movable pages elsewhere. This takes long,
//! and fails where a page cannot be moved.
//!
//! C header: [`include/linux/gfp.h`](srctree/include/linux/gfp.h)

use super::{
    exclusive::{
        Contents,
        Uninit, //
    },
    gfp::{
        Gfp,
        GfpKernel,
        NoWarn, //
    },
    place::{
        Place,
        ZoneLimit, //
    },
    transfer::{
        secret::Scrub,
        shared::Shareable,
        Transfer, //
    },
    Bytes, //
};
use crate::ffi::{
    context::MaySleep,
    helpers, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::{
        self,
        NonNull, //
    },
    slice, //
};
use kernel::{
    bindings,
    error::to_result,
    page::PAGE_SIZE,
    prelude::*, //
};

/// The physical addresses that a device asks for.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// The first address is a multiple of this, a power of two. [`PAGE_SIZE`] or less is always
    /// met.
    pub align: usize,
    /// No multiple of this, a power of two, is in the middle of the pages. 0 for no such limit.
    pub boundary: usize,
    /// The zones that the pages may come from.
    pub zones: ZoneLimit,
}

impl Default for Bounds {
    /// Any pages.
    fn default() -> Self {
        Self {
            align: PAGE_SIZE,
            boundary: 0,
            zones: ZoneLimit::None,
        }
    }
}

impl Bounds {
    /// Returns how many pages in a row have `count` pages within these bounds at their beginning.
    /// The allocator aligns powers of two to their size.
    fn pages_for(&self, count: usize) -> Result<usize> {
        let bytes = count.checked_mul(PAGE_SIZE).ok_or(EINVAL)?;
        if count == 0 || !self.align.is_power_of_two() {
            return Err(EINVAL);
        }
        if self.boundary != 0 && (!self.boundary.is_power_of_two() || bytes > self.boundary) {
            return Err(EINVAL);
        }
        if self.align <= PAGE_SIZE && self.boundary == 0 {
            return Ok(count);
        }
        let aligned = count.max(self.align / PAGE_SIZE);
        aligned.checked_next_power_of_two().ok_or(EINVAL)
    }
}

/// Pages whose physical addresses are in a row, and exclusive access to their contents.
///
/// It is like [`ExclusivePages`](super::ExclusivePages), for any number of pages, which need not be
/// a power of two, and for [`Bounds`]. It dereferences to a slice with an element for each page.
///
/// Contexts: allocation sleeps, and requires a context that may. Dropping as for
/// [`ExclusivePage`](super::ExclusivePage).
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::{context::Task, Bounds, ContiguousPages, Place};
/// # fn example(cx: &Task, program: impl Fn(usize)) -> Result {
/// // A frame buffer of 8 MiB, aligned to 1 MiB.
/// let bounds = Bounds { align: 1 << 20, ..Bounds::default() };
/// let mut frame = ContiguousPages::alloc(cx, 2048, bounds, Place::Any)?.zeroed();
/// frame.as_flattened_mut()[..4].fill(0xff);
/// program(frame.pfn());
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// - `first` is the first of `count` allocated pages of order 0 in the linear mapping. Their page
///   frame numbers are in a row, and so are their addresses. This value owns them, and has
///   exclusive access to their contents.
/// - The contents are valid `T`s.
pub struct ContiguousPages<T: Contents> {
    first: NonNull<bindings::page>,
    count: usize,
    _contents: PhantomData<T>,
}

// SAFETY: Pages are not tied to a thread or CPU, and their contents are `Send`.
unsafe impl<T: Contents> Send for ContiguousPages<T> {}
// SAFETY: `&ContiguousPages` only allows reading the contents, which are `Sync`.
unsafe impl<T: Contents> Sync for ContiguousPages<T> {}

impl ContiguousPages<Uninit> {
    /// Allocates `count` pages within some bounds. Sleeps, possibly for long.
    ///
    /// If the bounds ask for more than the number of pages, more pages are allocated, and those
    /// that are not needed are freed at once: up to twice as many, or as many as the alignment has.
    ///
    /// Fails with `EINVAL` for no pages, for bounds that are not powers of two, and for a boundary
    /// that is smaller than the pages; with `ENOMEM` if the kernel finds no such pages; and with
    /// `EOPNOTSUPP` on a kernel without `CONFIG_CONTIG_ALLOC`.
    pub fn alloc<C: MaySleep>(_cx: &C, count: usize, bounds: Bounds, place: Place) -> Result<Self> {
        let begun = Transfer::AllocContiguous.begin();
        let result = Self::alloc_within(count, bounds, place);
        begun.done(result.is_ok());
        result
    }

    fn alloc_within(count: usize, bounds: Bounds, place: Place) -> Result<Self> {
        let wanted = bounds.pages_for(count)?;
        let (node, only) = match place {
            Place::Any => (bindings::NUMA_NO_NODE, 0),
            Place::Near(node) => (node.number(), 0),
            Place::Only(node) => (node.number(), helpers::LABYRINTH_GFP_THISNODE),
        };
        let gfp = NoWarn::<GfpKernel>::RAW | bounds.zones.gfp() | only;
        let mut first = ptr::null_mut();

        // SAFETY: The callers have a context that may sleep. The node is online (invariant of
        // `Node`) or "any". `first` may be written.
        to_result(unsafe {
            helpers::labyrinth_contiguous_alloc(wanted, count, gfp, node, &mut first)
        })?;
        // INVARIANT: Freshly allocated, hence ours alone, and without `__GFP_HIGHMEM` in the linear
        // mapping. Any bytes are a valid `Uninit`.
        Ok(Self {
            first: NonNull::new(first).ok_or(ENOMEM)?,
            count,
            _contents: PhantomData,
        })
    }

    /// Fills the pages with zeroes. Any context.
    pub fn zeroed(self) -> ContiguousPages<Bytes> {
        let this = ManuallyDrop::new(self);

        // SAFETY: By the invariant the contents are ours alone, `count` pages of them.
        unsafe { this.contents().as_ptr().write_bytes(0, this.count) };
        // INVARIANT: The pages move over, and all zeroes are valid `Bytes`.
        ContiguousPages {
            first: this.first,
            count: this.count,
            _contents: PhantomData,
        }
    }
}

impl<T: Contents> ContiguousPages<T> {
    /// Returns the page frame number of the first page. The others follow. Any context.
    pub fn pfn(&self) -> usize {
        // SAFETY: An allocated page, by the invariant.
        unsafe { helpers::labyrinth_page_to_pfn(self.first.as_ptr()) }
    }

    fn contents(&self) -> NonNull<T> {
        // SAFETY: An allocated page, by the invariant.
        let address = unsafe { helpers::labyrinth_page_address(self.first.as_ptr()) };

        // SAFETY: A page in the linear mapping has an address other than null.
        unsafe { NonNull::new_unchecked(address.cast()) }
    }
}

impl<T: Contents> Deref for ContiguousPages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: By the invariants these are `count` valid `T`s that only `self` gives access to;
        // the reference borrows `self`.
        unsafe { slice::from_raw_parts(self.contents().as_ptr(), self.count) }
    }
}

impl<T: Contents> DerefMut for ContiguousPages<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: As for `deref`; `self` is borrowed mutably.
        unsafe { slice::from_raw_parts_mut(self.contents().as_ptr(), self.count) }
    }
}

impl<T: Contents> Shareable for ContiguousPages<T> {}

impl Scrub for ContiguousPages<Bytes> {
    fn bytes(&mut self) -> &mut [u8] {
        self.as_flattened_mut()
    }

    fn page_is_bad(&self, index: usize) -> bool {
        // SAFETY: Any address in the linear mapping has a `struct page`, and that of a page of ours
        // is of an allocated page.
        unsafe {
            let page = helpers::labyrinth_virt_to_page(self[index].as_ptr().cast());
            helpers::labyrinth_pages_bad(page, 0)
        }
    }
}

impl<T: Contents> Drop for ContiguousPages<T> {
    fn drop(&mut self) {
        let begun = Transfer::FreeContiguous.begin();
        // SAFETY: By the invariant the pages are allocated, and ours to free.
        unsafe { helpers::labyrinth_contiguous_free(self.first.as_ptr(), self.count) };
        begun.done(true);
    }
}
