// SPDX-License-Identifier: GPL-2.0

//! [`ExclusivePage`].

use super::{
    calls::functions::Functions as _,
    gfp::AllowedIn,
    place::Place,
    transfer::{
        secret::Scrub,
        shared::Shareable, //
    }, //
};
use crate::ffi::{
    context::Context,
    helpers,
    mm::call_site::CallSite, //
};
use core::{
    marker::PhantomData,
    mem::{
        ManuallyDrop,
        MaybeUninit, //
    },
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::NonNull, //
};
use kernel::{
    alloc::AllocError,
    bindings,
    page::PAGE_SIZE, //
};

/// The contents of an initialised page.
pub type Bytes = [u8; PAGE_SIZE];

/// The contents of a page that the allocator has just handed out. They may not be read yet.
pub type Uninit = MaybeUninit<Bytes>;

/// The types of a page's contents. They are [`Bytes`] and [`Uninit`], and there are no others.
///
/// # Safety
///
/// All bytes that the owner of a page can leave in it, using the conversions of [`ExclusivePage`],
/// must be a valid value of the type. (The compiler checks size, alignment and destructor.)
pub unsafe trait Contents: sealed::Sealed + Send + Sync + 'static {}

mod sealed {
    /// Other crates cannot implement this trait.
    #[allow(unnameable_types, reason = "sealed")]
    pub trait Sealed {}
}

impl sealed::Sealed for Bytes {}
impl sealed::Sealed for Uninit {}

// SAFETY: An array of `PAGE_SIZE` bytes.
unsafe impl Contents for Bytes {}
// SAFETY: As above, with fewer promises.
unsafe impl Contents for Uninit {}

/// One page of memory, with exclusive access to its contents.
///
/// It is to a page what `KBox` is to a slab object. It is allocated by `alloc_pages()`,
/// dereferences to its contents, and is freed by `__free_pages()` when dropped. It never touches
/// the page's reference count. Its size is that of a pointer.
///
/// Contexts: it may be dropped wherever `__free_pages()` may be called: in task and softirq context
/// and under a `spinlock_t`; except on PREEMPT_RT, also in hard interrupts and under a
/// `raw_spinlock_t`. Never in NMI.
///
/// # Examples
///
/// ```
/// # use kernel::alloc::AllocError;
/// # use labyrinth::{context::Context, AllowedIn, GfpAtomic, Bytes, ExclusivePage};
/// fn stamp<C: Context>(cx: &C) -> Result<ExclusivePage<Bytes>, AllocError>
/// where
///     GfpAtomic: AllowedIn<C>,
/// {
///     let mut page = ExclusivePage::alloc(cx, GfpAtomic)?.zeroed();
///     page[0] = 0x42;
///     Ok(page)
/// }
/// ```
///
/// # Invariants
///
/// - `page` is an allocated page of order 0 in the kernel's linear mapping, owned by this value,
///   which has exclusive access to the contents of the page.
/// - The contents are a valid `T`.
pub struct ExclusivePage<T: Contents> {
    page: NonNull<bindings::page>,
    _contents: PhantomData<T>,
}

// SAFETY: A page is not tied to a thread or CPU, and its contents are `Send`.
unsafe impl<T: Contents> Send for ExclusivePage<T> {}
// SAFETY: `&ExclusivePage` only allows reading the contents, which are `Sync`.
unsafe impl<T: Contents> Sync for ExclusivePage<T> {}

impl ExclusivePage<Uninit> {
    /// Allocates a page.
    ///
    /// `cx` proves the context, which decides whether `gfp` can be used: `GfpKernel` needs a
    /// context that may sleep, `GfpAtomic` one that may enter the allocator
    /// ([`PlainAlloc`](crate::context::PlainAlloc)), and `GfpNoLock` no particular one.
    ///
    /// Fails with [`AllocError`] if the allocator has no page for these flags.
    ///
    /// C header: [`include/linux/gfp.h`](srctree/include/linux/gfp.h)
    #[inline]
    pub fn alloc<C: Context, G: AllowedIn<C>>(_cx: &C, _gfp: G) -> Result<Self, AllocError> {
        // SAFETY: `AllowedIn` says that the flags are fit for the context, and `_cx` that this is
        // the context.
        let page = unsafe { G::Calls::alloc::<C>(G::RAW, 0, Place::Any) };

        // INVARIANT: Freshly allocated, hence ours alone; without `__GFP_HIGHMEM` it is in the
        // linear mapping. Any bytes are a valid `Uninit`.
        Ok(Self {
            page: NonNull::new(page).ok_or(AllocError)?,
            _contents: PhantomData,
        })
    }

    /// Fills the page with zeroes. Any context.
    #[inline]
    pub fn zeroed(self) -> ExclusivePage<Bytes> {
        let this = ManuallyDrop::new(self);

        // SAFETY: By the invariant the contents are ours alone.
        unsafe { this.contents().as_ptr().write_bytes(0, 1) };
        // INVARIANT: The page moves over, and all zeroes are valid `Bytes`.
        ExclusivePage {
            page: this.page,
            _contents: PhantomData,
        }
    }
}

#[cfg_attr(
    not(CONFIG_KUNIT = "y"),
    allow(
        dead_code,
        reason = "the doors to C, which nothing but tests goes through yet"
    )
)]
impl<T: Contents> ExclusivePage<T> {
    /// Gives the page up, and returns the address of its contents in the linear mapping. Any
    /// context.
    ///
    /// The caller owns the page through that address. Nothing frees the page until
    /// [`Self::from_raw`].
    #[inline]
    pub fn into_raw(self) -> NonNull<T> {
        ManuallyDrop::new(self).contents()
    }

    /// Takes a page back. Any context.
    ///
    /// # Safety
    ///
    /// `contents` must come from [`Self::into_raw`] (of a page with any contents), and may be used
    /// once. No other code may access the page from now on, and its contents must be a valid `T`.
    #[inline]
    pub unsafe fn from_raw(contents: NonNull<T>) -> Self {
        // SAFETY: `contents` is the linear mapping of a page.
        let page =
            unsafe { helpers::labyrinth_virt_to_page(contents.as_ptr().cast_const().cast()) };

        // INVARIANT: The caller hands over an order-0 page with exclusive access and a valid `T`.
        Self {
            // SAFETY: An address in the linear mapping has a `struct page`.
            page: unsafe { NonNull::new_unchecked(page) },
            _contents: PhantomData,
        }
    }
}

impl<T: Contents> ExclusivePage<T> {
    /// Discards the knowledge that the page is initialised. Any context.
    #[inline(always)]
    pub fn into_uninit(self) -> ExclusivePage<Uninit> {
        // INVARIANT: The page moves over; any bytes are a valid `Uninit`.
        ExclusivePage {
            page: ManuallyDrop::new(self).page,
            _contents: PhantomData,
        }
    }

    /// Returns the `struct page`. The caller must respect that this value owns the page.
    #[inline(always)]
    pub(super) fn page(&self) -> NonNull<bindings::page> {
        self.page
    }

    /// Gives the page up as a `struct page`.
    #[inline(always)]
    pub(super) fn into_page(self) -> NonNull<bindings::page> {
        ManuallyDrop::new(self).page
    }

    /// Takes ownership of a page.
    ///
    /// # Safety
    ///
    /// `page` must be an allocated page of order 0 in the linear mapping that no other code owns or
    /// accesses, and its contents must be a valid `T`.
    #[inline(always)]
    pub(super) unsafe fn from_page(page: NonNull<bindings::page>) -> Self {
        // INVARIANT: The caller promises exactly this.
        Self {
            page,
            _contents: PhantomData,
        }
    }

    /// Returns the page frame number, for reports. Any context.
    pub fn pfn(&self) -> usize {
        // SAFETY: `page` is a valid page by the invariant.
        unsafe { helpers::labyrinth_page_to_pfn(self.page.as_ptr()) }
    }

    /// Returns whether the page has gone bad, see [`BadMemory`](crate::mm::BadMemory). When such a
    /// page is dropped, the allocator does not use it again. Any context.
    pub fn is_bad(&self) -> bool {
        // SAFETY: An allocated page of order 0, by the invariant.
        unsafe { helpers::labyrinth_pages_bad(self.page.as_ptr(), 0) }
    }

    /// Charges the page to a line of `/proc/allocinfo`, until it is freed or goes back to a pool.
    /// Any context.
    ///
    /// A page that is already charged stays charged to its first caller.
    #[inline(always)]
    pub fn charge(&mut self, caller: CallSite) {
        #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
        // SAFETY: An allocated page of order 0 by the invariant, and the tag is static. The words
        // that this changes are the owner's, and `&mut self` keeps others from doing it at the same
        // time.
        unsafe {
            helpers::labyrinth_charge(self.page.as_ptr(), caller.as_raw())
        };
        #[cfg(not(CONFIG_MEM_ALLOC_PROFILING))]
        let _ = caller;
    }

    /// Returns the address of the contents.
    #[inline]
    fn contents(&self) -> NonNull<T> {
        const {
            assert!(size_of::<T>() == PAGE_SIZE && align_of::<T>() <= PAGE_SIZE);
            assert!(!core::mem::needs_drop::<T>());
        }
        // SAFETY: `page` is a valid page by the invariant.
        let address = unsafe { helpers::labyrinth_page_address(self.page.as_ptr()) };

        // SAFETY: A page in the linear mapping has an address other than null.
        unsafe { NonNull::new_unchecked(address.cast()) }
    }
}

impl<T: Contents> Deref for ExclusivePage<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: By the invariants the contents are a valid `T` that only `self` gives access to;
        // the reference borrows `self`.
        unsafe { self.contents().as_ref() }
    }
}

impl<T: Contents> DerefMut for ExclusivePage<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: As for `deref`; `self` is borrowed mutably.
        unsafe { self.contents().as_mut() }
    }
}

impl<T: Contents> Shareable for ExclusivePage<T> {}

impl Scrub for ExclusivePage<Bytes> {
    fn bytes(&mut self) -> &mut [u8] {
        &mut **self
    }

    fn page_is_bad(&self, _index: usize) -> bool {
        self.is_bad()
    }
}

impl<T: Contents> Drop for ExclusivePage<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the invariant the page is allocated with order 0 and ours to free.
        unsafe { helpers::labyrinth_free_pages(self.page.as_ptr(), 0) };
    }
}
