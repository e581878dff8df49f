// SPDX-License-Identifier: GPL-2.0

//! [`VmappedPages`]: single pages, mapped side by side in the kernel's address space.
//!
//! ```text
//!   no page │ page │ page │ … │ page │ no page
//!    ahead                              behind
//! ```
//!
//! # The guards
//!
//! The address range of `vmap()` is larger than the pages by one page at the end, which is never
//! mapped. So an access just behind the last page faults.
//!
//! The range just before the first page belongs to another user of that part of the address space.
//! Most users also end with an unmapped page, but not all. So the area here begins with one more
//! page, which has no user. On x86 that page is removed from the page tables when the area has been
//! made, because x86 lets a module look an address up. On other architectures it stays mapped, and
//! an access there reaches a page that nobody reads. The same can happen on x86, on a CPU that
//! loaded the translation before the page was removed.
//!
//! After the pages are unmapped, a CPU may still translate their addresses until the kernel flushes
//! all CPUs, which it does for many areas at once. No safe code has such an address then.
//!
//! C header: [`include/linux/vmalloc.h`](srctree/include/linux/vmalloc.h)

use super::{
    secret::Scrub,
    shared::Shareable, //
};
use crate::{
    ffi::{
        context::MaySleep,
        helpers, //
    },
    page::transfer::Transfer,
    page::{
        Bytes,
        ExclusivePage,
        GfpKernel,
        Uninit, //
    }, //
};
use core::{
    mem::{
        self,
        ManuallyDrop, //
    },
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::NonNull, //
};
use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*, //
};

/// The pages of a [`VmappedPages`].
pub(crate) type Pages = KVec<ExclusivePage<Bytes>>;

/// Exclusive pages, mapped side by side in the given order, as one slice of bytes.
///
/// [`Self::map`] and [`Self::unmap`] sleep, and require a context that may. Dropping does not
/// sleep: the kernel unmaps and frees the pages later, in a thread of its own. It needs no code of
/// this module for that, so the module may be gone by then.
///
/// Contexts: dropping as for [`ExclusivePage`]; access in all contexts.
///
/// # Examples
///
/// ```
/// # use kernel::{page::PAGE_SIZE, prelude::*};
/// # use labyrinth::{context::Task, Bytes, ExclusivePage, VmappedPages};
/// # fn example(cx: &Task, pages: KVec<ExclusivePage<Bytes>>) -> Result {
/// let mut view = VmappedPages::map(cx, pages).map_err(|(error, _pages)| error)?;
/// view[PAGE_SIZE - 1..PAGE_SIZE + 1].copy_from_slice(&[1, 2]); // across two pages
/// let pages = view.unmap(cx);
/// assert!(pages[0][PAGE_SIZE - 1] == 1 && pages[1][0] == 2);
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// - `area` comes from a `vmap()` with `VM_MAP_PUT_PAGES` of the pages in `table`, and belongs to
///   this value. So `vfree()` would free `table` and each page in it.
/// - `table` has `guard`, then all of `pages`. No code uses the contents of `guard`. The first page
///   of the area, where `guard` is mapped, may be unmapped.
pub struct VmappedPages {
    area: NonNull<u8>,
    table: ManuallyDrop<KVVec<NonNull<bindings::page>>>,
    guard: ManuallyDrop<ExclusivePage<Uninit>>,
    pages: ManuallyDrop<Pages>,
}

// SAFETY: Neither pages nor the kernel's mappings are tied to a thread or CPU.
unsafe impl Send for VmappedPages {}
// SAFETY: `&VmappedPages` only allows reading the contents, which are bytes.
unsafe impl Sync for VmappedPages {}

impl VmappedPages {
    /// Maps pages side by side. Sleeps.
    ///
    /// Fails with `EINVAL` if there are no pages or too many, and with `ENOMEM` if memory or
    /// address space is short. The error has the pages. One more page is allocated for the guard in
    /// front.
    pub fn map<C: MaySleep>(cx: &C, pages: Pages) -> Result<Self, (Error, Pages)> {
        let begun = Transfer::Vmap.begin();
        let result = match Self::map_area(cx, &pages) {
            // INVARIANT: `map_area` returns parts that satisfy the invariants.
            Ok((area, table, guard)) => Ok(Self {
                area,
                table: ManuallyDrop::new(table),
                guard: ManuallyDrop::new(guard),
                pages: ManuallyDrop::new(pages),
            }),
            Err(error) => Err((error, pages)),
        };
        begun.done(result.is_ok());
        result
    }

    /// Makes an area, its table of pages, and the guard, which is the first page.
    #[allow(clippy::type_complexity, reason = "the parts of a view")]
    fn map_area<C: MaySleep>(
        cx: &C,
        pages: &Pages,
    ) -> Result<(
        NonNull<u8>,
        KVVec<NonNull<bindings::page>>,
        ExclusivePage<Uninit>,
    )> {
        if pages.is_empty() {
            return Err(EINVAL);
        }
        let count = u32::try_from(pages.len() + 1).map_err(|_| EINVAL)?;
        let guard = ExclusivePage::alloc(cx, GfpKernel)?;
        let mut table = KVVec::with_capacity(pages.len() + 1, GFP_KERNEL)?;
        table.push(guard.page(), GFP_KERNEL)?;
        for page in pages {
            table.push(page.page(), GFP_KERNEL)?;
        }
        // SAFETY: A context that may sleep. The table has `count` pages, all of order 0, and is
        // memory that `kvfree()` takes. It stays ours until `vfree()` is called.
        let area = unsafe { helpers::labyrinth_vmap(table.as_mut_ptr().cast(), count) };
        let area = NonNull::new(area.cast::<u8>()).ok_or(ENOMEM)?;
        // SAFETY: The first page of an area that was just made.
        unsafe { helpers::labyrinth_vmap_guard(area.as_ptr().cast()) };
        Ok((area, table, guard))
    }

    /// Unmaps the pages and returns them in the same order. Sleeps.
    pub fn unmap<C: MaySleep>(self, _cx: &C) -> Pages {
        let begun = Transfer::Vunmap.begin();
        let mut this = ManuallyDrop::new(self);
        // SAFETY: A context that may sleep; the area is ours by the invariant. This does not free
        // the pages or the table.
        unsafe { helpers::labyrinth_vunmap(this.area.as_ptr().cast()) };
        // SAFETY: The area, which could have freed the table, is gone. `self` is not used any more.
        drop(unsafe { ManuallyDrop::take(&mut this.table) });
        // SAFETY: As above.
        drop(unsafe { ManuallyDrop::take(&mut this.guard) });
        // SAFETY: As above.
        let pages = unsafe { ManuallyDrop::take(&mut this.pages) };
        begun.done(true);
        pages
    }

    fn contents(&self) -> NonNull<u8> {
        // SAFETY: The area contains the page of the guard and at least one more.
        unsafe { self.area.add(PAGE_SIZE) }
    }

    fn size(&self) -> usize {
        self.pages.len() * PAGE_SIZE
    }
}

impl Shareable for VmappedPages {}

impl Scrub for VmappedPages {
    fn bytes(&mut self) -> &mut [u8] {
        self
    }

    fn page_is_bad(&self, index: usize) -> bool {
        self.pages[index].is_bad()
    }
}

impl Deref for VmappedPages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: By the invariants `size()` bytes are mapped there. They are the contents of pages
        // that only `self` gives access to, and the reference borrows `self`.
        unsafe { core::slice::from_raw_parts(self.contents().as_ptr(), self.size()) }
    }
}

impl DerefMut for VmappedPages {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: As for `deref`; `self` is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.contents().as_ptr(), self.size()) }
    }
}

impl Drop for VmappedPages {
    fn drop(&mut self) {
        let begun = Transfer::Vunmap.begin();
        // SAFETY: By the invariants the area and the pages are ours, and the table has that many
        // pages. The kernel owns all of it from here on.
        unsafe {
            helpers::labyrinth_vmap_drop(
                self.area.as_ptr().cast(),
                self.table.as_mut_ptr().cast(),
                self.table.len(),
            )
        };
        // SAFETY: `self.pages` is not used any more.
        let pages = unsafe { ManuallyDrop::take(&mut self.pages) };
        // The kernel owns the pages now; only the list is still ours.
        pages.into_iter().for_each(mem::forget);
        begun.done(true);
    }
}
