// SPDX-License-Identifier: GPL-2.0

//! [`ExclusivePages`].

use super::{
    calls::functions::Functions as _,
    exclusive::{
        Contents,
        Uninit, //
    },
    gfp::AllowedIn,
    place::{
        Location,
        Place,
        ZoneLimit, //
    },
    transfer::{
        secret::Scrub,
        shared::Shareable, //
    },
    Bytes,
    ExclusivePage, //
};
use crate::ffi::{
    context::Context,
    helpers,
    mm::{
        bad_memory,
        call_site::CallSite,
        zone::Zone, //
    }, //
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
    alloc::{
        AllocError,
        Allocator,
        Vec, //
    },
    bindings,
    page::PAGE_SIZE, //
};

/// The largest order there is: 2¹⁰ pages.
pub const MAX_ORDER: u32 = 10;

/// The number of contiguous pages in a block, their form, and the zones that they come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// There are 2^order pages.
    pub order: u32,
    /// Whether they are a compound page (`__GFP_COMP`), in which each page refers to the first one,
    /// and the first one has the order. This has no meaning for a single page.
    pub compound: bool,
    /// Which zones they may come from.
    pub zones: ZoneLimit,
}

impl From<u32> for Shape {
    /// Pages of this order from any zone, not compound.
    #[inline(always)]
    fn from(order: u32) -> Self {
        Self {
            order,
            compound: false,
            zones: ZoneLimit::None,
        }
    }
}

/// The order of a block, and whether it is a compound page.
///
/// # Invariants
///
/// `0` is an order of at most [`MAX_ORDER`], plus [`Self::COMPOUND`] for a compound page of an
/// order above 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form(u32);

impl Form {
    /// A single page.
    pub(crate) const SINGLE: Self = Self(0);

    /// The bit of a compound page, above the order.
    const COMPOUND: u32 = 0x10;

    /// The number of bits of a form.
    pub(crate) const BITS: u32 = 5;

    /// Returns the form of blocks of a `shape`, or `None` if its order is above [`MAX_ORDER`].
    #[inline(always)]
    pub(crate) const fn of(shape: &Shape) -> Option<Self> {
        if shape.order > MAX_ORDER {
            return None;
        }
        // INVARIANT: A single page has no bit for a compound page.
        if shape.compound && shape.order != 0 {
            Some(Self(shape.order | Self::COMPOUND))
        } else {
            Some(Self(shape.order))
        }
    }

    /// Returns the form with such a number, if there is one.
    pub(crate) const fn from_raw(raw: u32) -> Option<Self> {
        let shape = Shape {
            order: raw & !Self::COMPOUND,
            compound: raw & Self::COMPOUND != 0,
            zones: ZoneLimit::None,
        };
        match Self::of(&shape) {
            Some(form) if form.0 == raw => Some(form),
            _ => None,
        }
    }

    /// Returns the number of the form.
    #[inline(always)]
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    /// Returns the order.
    #[inline(always)]
    pub(crate) const fn order(self) -> u32 {
        self.0 & !Self::COMPOUND
    }
}

/// A [`Shape`] whose order was checked, in the terms of the allocator.
///
/// A pool asks for one shape again and again, so it does the arithmetic once.
///
/// # Invariants
///
/// `gfp` is of the flags that choose how the pages are described and which zones they come from.
#[allow(unnameable_types, reason = "only a sealed trait shows it")]
#[derive(Clone, Copy)]
pub struct CheckedShape {
    form: Form,
    gfp: bindings::gfp_t,
}

impl CheckedShape {
    /// Checks a shape. Returns `None` if its order is above [`MAX_ORDER`].
    #[inline(always)]
    pub(crate) fn of(shape: &Shape) -> Option<Self> {
        let form = Form::of(shape)?;
        let compound = if form.0 & Form::COMPOUND != 0 {
            helpers::LABYRINTH_GFP_COMP
        } else {
            0
        };
        // INVARIANT: These flags and no others.
        Some(Self {
            form,
            gfp: compound | shape.zones.gfp(),
        })
    }

    /// Returns the order.
    #[inline(always)]
    pub(crate) fn order(&self) -> u32 {
        self.form.order()
    }

    /// Returns whether any page will do: one page, from any zone.
    #[inline(always)]
    pub(super) fn is_plain_page(&self) -> bool {
        self.form == Form::SINGLE && self.gfp == 0
    }
}

/// 2^order contiguous pages and exclusive access to their contents.
///
/// It is like [`ExclusivePage`], for an order that is known at run time only. It dereferences to a
/// slice with an element for each page, and is as large as a pointer. A block of order 0 can be
/// converted from and to an [`ExclusivePage`].
///
/// Contexts: as for [`ExclusivePage`].
///
/// # Examples
///
/// ```
/// # use kernel::{page::PAGE_SIZE, prelude::*};
/// # use labyrinth::{context::Softirq, GfpAtomic, ExclusivePages, Place};
/// # fn example(cx: &Softirq) -> Result {
/// let mut pages = ExclusivePages::alloc(cx, GfpAtomic, 3, Place::Any)?.zeroed();
/// pages[7][0] = 0x42;
/// assert_eq!(pages.as_flattened().len(), 8 * PAGE_SIZE);
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// - `tagged` is the address of a `struct page` plus the number of a `Form`, which is that of the
///   pages.
/// - The page is the first of 2^order allocated ones in the kernel's linear mapping, owned by this
///   value, which has exclusive access to their contents.
/// - The contents are valid `T`s.
#[repr(transparent)]
pub struct ExclusivePages<T: Contents> {
    tagged: Tagged,
    _contents: PhantomData<T>,
}

/// The address of a `struct page` with the number of a form in its low bits.
pub(super) type Tagged = NonNull<bindings::page>;

/// The low bits of the address of a `struct page`, which are free for the form. The kernel keeps
/// these structures in arrays that begin at the boundary of a page or at least of a cache line.
const FORM_BITS: usize = (1 << Form::BITS) - 1;

const _: () = {
    assert!(size_of::<bindings::page>() % (FORM_BITS + 1) == 0);
    assert!(MAX_ORDER < Form::COMPOUND);
    assert!((MAX_ORDER | Form::COMPOUND) as usize <= FORM_BITS);
};

// SAFETY: Pages are not tied to a thread or CPU, and their contents are `Send`.
unsafe impl<T: Contents> Send for ExclusivePages<T> {}
// SAFETY: `&ExclusivePages` only allows reading the contents, which are `Sync`.
unsafe impl<T: Contents> Sync for ExclusivePages<T> {}

impl ExclusivePages<Uninit> {
    /// Allocates pages of a `shape`, which can be an order.
    ///
    /// `cx` and `gfp` are as for [`ExclusivePage::alloc`]; `place` chooses the NUMA node. An order
    /// above [`MAX_ORDER`] fails like every request that cannot be served. With
    /// [`GfpNoLock`](super::GfpNoLock), so does an order above 0, a limit of the zones, and
    /// [`Place::Only`].
    ///
    /// C header: [`include/linux/gfp.h`](srctree/include/linux/gfp.h)
    #[inline]
    pub fn alloc<C: Context, G: AllowedIn<C>>(
        cx: &C,
        gfp: G,
        shape: impl Into<Shape>,
        place: Place,
    ) -> Result<Self, AllocError> {
        let shape = CheckedShape::of(&shape.into()).ok_or(AllocError)?;
        Self::alloc_checked(cx, gfp, shape, place)
    }

    /// As [`Self::alloc`].
    #[inline(always)]
    pub(crate) fn alloc_checked<C: Context, G: AllowedIn<C>>(
        _cx: &C,
        _gfp: G,
        shape: CheckedShape,
        place: Place,
    ) -> Result<Self, AllocError> {
        if !G::Calls::support(shape, place) {
            return Err(AllocError);
        }
        // SAFETY: `AllowedIn` says that the flags are fit for the context, and `_cx` that this is
        // the context. Those of a shape only say how the pages are described and which zones will
        // do. The order of a form is at most `MAX_ORDER`.
        let page = unsafe { G::Calls::alloc::<C>(G::RAW | shape.gfp, shape.order(), place) };
        // SAFETY: Freshly allocated in this form, hence ours alone, and without `__GFP_HIGHMEM` in
        // the linear mapping. Any bytes are a valid `Uninit`.
        unsafe { Self::from_page(page, shape.form) }.ok_or(AllocError)
    }

    /// Allocates up to `wanted` pages of order 0 at once, passes each to `sink`, and returns how
    /// many there were. It may be fewer than `wanted`, or 0.
    ///
    /// `cx` and `gfp` are as for [`Self::alloc`].
    pub fn alloc_bulk<C: Context, G: AllowedIn<C>>(
        cx: &C,
        gfp: G,
        wanted: usize,
        mut sink: impl FnMut(Self),
    ) -> usize {
        let mut got = 0;

        while got < wanted {
            let chunk = BULK.min(wanted - got);
            let mut slots = [const { MaybeUninit::uninit() }; BULK];
            let filled = Self::alloc_in(cx, gfp, &mut slots[..chunk]);

            for pages in &slots[..filled] {
                // SAFETY: One of the first `filled`, which are initialised. It is not used again.
                sink(unsafe { pages.assume_init_read() });
            }
            got += filled;
            if filled < chunk {
                break;
            }
        }
        got
    }

    /// Like [`Self::alloc_bulk`], but adds the pages to a vector, at most as many as it has room
    /// for. The allocator itself writes to the vector.
    pub fn alloc_into<C: Context, G: AllowedIn<C>, A: Allocator>(
        cx: &C,
        gfp: G,
        wanted: usize,
        pages: &mut Vec<Self, A>,
    ) -> usize {
        let room = pages.spare_capacity_mut();
        let wanted = wanted.min(room.len());
        let filled = Self::alloc_in(cx, gfp, &mut room[..wanted]);
        // SAFETY: As many elements behind the last one were just initialised.
        unsafe { pages.inc_len(filled) };
        filled
    }

    /// Allocates single pages into the first of `slots`, and returns how many.
    #[inline(always)]
    fn alloc_in<C: Context, G: AllowedIn<C>>(
        _cx: &C,
        _gfp: G,
        slots: &mut [MaybeUninit<Self>],
    ) -> usize {
        let (first, count) = (
            slots.as_mut_ptr().cast::<*mut bindings::page>(),
            slots.len(),
        );
        // SAFETY: The slots are ours. By `repr(transparent)` each of them has the size and
        // alignment of a pointer, and zeroes are null.
        unsafe { first.write_bytes(0, count) };
        // SAFETY: As above; they were just initialised, and `slots` stays borrowed.
        let pages = unsafe { core::slice::from_raw_parts_mut(first, count) };
        // INVARIANT: As in `alloc`, each address is that of a single page, whose tag is 0.
        // SAFETY: As in `alloc`; all elements are null.
        unsafe { G::Calls::alloc_bulk::<C>(G::RAW, pages) }
    }

    /// Fills the pages with zeroes. Any context.
    #[allow(dead_code, reason = "the exercises take single pages")]
    pub fn zeroed(self) -> ExclusivePages<Bytes> {
        let this = ManuallyDrop::new(self);

        // SAFETY: By the invariant the contents are ours alone, 2^order pages of them.
        unsafe { this.contents().as_ptr().write_bytes(0, 1 << this.order()) };
        // INVARIANT: The pages move over, and all zeroes are valid `Bytes`.
        ExclusivePages {
            tagged: this.tagged,
            _contents: PhantomData,
        }
    }

    /// Takes ownership of pages from the allocator.
    ///
    /// # Safety
    ///
    /// `page` must be null, or the first of freshly allocated pages of this `form` in the linear
    /// mapping.
    #[inline(always)]
    unsafe fn from_page(page: *mut bindings::page, form: Form) -> Option<Self> {
        let page = NonNull::new(page)?;
        // INVARIANT: By the requirements; the low bits of the address are free.
        Some(Self {
            tagged: page.map_addr(|address| address | form.0 as usize),
            _contents: PhantomData,
        })
    }
}

/// How many pages one call of [`ExclusivePages::alloc_bulk`] asks for: half a KiB of stack.
const BULK: usize = 64;

impl<T: Contents> ExclusivePages<T> {
    /// Returns the order. Any context.
    #[inline(always)]
    pub fn order(&self) -> u32 {
        self.form().order()
    }

    /// Returns whether the pages are a compound page, see [`Shape::compound`]. A single page is
    /// none. Any context.
    pub fn is_compound(&self) -> bool {
        self.form().0 & Form::COMPOUND != 0
    }

    /// Returns the form. Any context.
    #[inline(always)]
    pub(crate) fn form(&self) -> Form {
        // INVARIANT: By that of `tagged`.
        Form((self.tagged.as_ptr().addr() & FORM_BITS) as u32)
    }

    /// Discards the knowledge that the pages are initialised. Any context.
    #[inline(always)]
    pub fn into_uninit(self) -> ExclusivePages<Uninit> {
        // INVARIANT: The pages move over; any bytes are a valid `Uninit`.
        ExclusivePages {
            tagged: ManuallyDrop::new(self).tagged,
            _contents: PhantomData,
        }
    }

    /// Returns whether the zone of the pages has fewer free pages than its min watermark now. If
    /// so, pages that were just allocated come from the kernel's emergency reserve. Any context.
    pub(crate) fn zone_below_min(&self) -> bool {
        // SAFETY: An allocated page, by the invariant.
        unsafe { helpers::labyrinth_zone_below_min(self.page()) }
    }

    /// Returns the page frame number of the first page, for reports. Any context.
    pub fn pfn(&self) -> usize {
        // SAFETY: An allocated page, by the invariant.
        unsafe { helpers::labyrinth_page_to_pfn(self.page()) }
    }

    /// Returns whether the pages are in this zone. Any context.
    pub fn is_in(&self, zone: &Zone) -> bool {
        let (node, kind) = zone.number();
        // SAFETY: An allocated page, by the invariant.
        unsafe { helpers::labyrinth_page_in_zone(self.page(), node, kind) }
    }

    /// Returns whether one of the pages has gone bad, see [`BadMemory`](crate::mm::BadMemory). When
    /// such pages are dropped, the allocator does not use the bad ones again. Any context.
    pub fn is_bad(&self) -> bool {
        // SAFETY: Allocated pages of this order, by the invariant.
        unsafe { helpers::labyrinth_pages_bad(self.page(), self.order()) }
    }

    /// Like [`Self::is_bad`], but checks the pages only if a bad page was reported near them since
    /// the module was loaded. Any context.
    #[inline(always)]
    pub(crate) fn is_known_bad(&self) -> bool {
        bad_memory::known() && self.is_in_a_bad_part()
    }

    #[cold]
    #[inline(never)]
    fn is_in_a_bad_part(&self) -> bool {
        // SAFETY: As in `is_bad`.
        unsafe { helpers::labyrinth_pages_known_bad(self.page(), self.order()) }
    }

    /// Returns where the pages are. Any context.
    pub(crate) fn location(&self) -> Location {
        Location {
            address: self.pfn() as u64 * PAGE_SIZE as u64,
            // SAFETY: An allocated page, by the invariant.
            node: unsafe { helpers::labyrinth_page_node(self.page()) } as u32,
            // SAFETY: As above.
            zone: unsafe { helpers::labyrinth_page_zone(self.page()) },
        }
    }

    /// Charges the pages to a line of `/proc/allocinfo`, until they are freed or go back to a pool.
    /// Any context.
    ///
    /// Pages that are already charged stay charged to their first caller.
    #[inline(always)]
    pub fn charge(&mut self, caller: CallSite) {
        #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
        // SAFETY: Allocated pages by the invariant, and the tag is static. The words that this
        // changes are the owner's, and `&mut self` keeps others from doing it at the same time.
        unsafe {
            helpers::labyrinth_charge(self.page(), caller.as_raw())
        };
        #[cfg(not(CONFIG_MEM_ALLOC_PROFILING))]
        let _ = caller;
    }

    /// Removes the pages from the line that they are charged to, if any. Any context.
    #[inline(always)]
    pub(crate) fn uncharge(&mut self) {
        #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
        // SAFETY: Allocated with this order by the invariant. The words that this changes are the
        // owner's, and `&mut self` keeps others from doing it at the same time.
        unsafe {
            helpers::labyrinth_uncharge(self.page(), self.order())
        };
    }

    /// Returns the first `struct page`.
    #[inline(always)]
    pub(super) fn page(&self) -> *mut bindings::page {
        self.tagged
            .as_ptr()
            .map_addr(|address| address & !FORM_BITS)
    }

    /// Gives the pages up, and returns their tagged address for [`Self::from_tagged`].
    #[inline(always)]
    pub(super) fn into_tagged(self) -> Tagged {
        ManuallyDrop::new(self).tagged
    }

    /// Takes back the ownership that [`Self::into_tagged`] gave up.
    ///
    /// # Safety
    ///
    /// `tagged` must come from `into_tagged` of the same type, and be used once.
    #[inline(always)]
    pub(super) unsafe fn from_tagged(tagged: Tagged) -> Self {
        // INVARIANT: Those of the value that was given up.
        Self {
            tagged,
            _contents: PhantomData,
        }
    }

    #[inline]
    pub(super) fn contents(&self) -> NonNull<T> {
        // SAFETY: A valid page by the invariant.
        let address = unsafe { helpers::labyrinth_page_address(self.page()) };

        // SAFETY: A page in the linear mapping has an address other than null.
        unsafe { NonNull::new_unchecked(address.cast()) }
    }
}

impl<T: Contents> From<ExclusivePage<T>> for ExclusivePages<T> {
    #[inline(always)]
    fn from(page: ExclusivePage<T>) -> Self {
        // INVARIANT: An exclusive page of order 0, whose tag is 0.
        Self {
            tagged: page.into_page(),
            _contents: PhantomData,
        }
    }
}

impl<T: Contents> TryFrom<ExclusivePages<T>> for ExclusivePage<T> {
    type Error = ExclusivePages<T>;

    /// Returns the pages as the error if there is more than one.
    #[inline(always)]
    fn try_from(pages: ExclusivePages<T>) -> Result<Self, Self::Error> {
        if pages.order() != 0 {
            return Err(pages);
        }
        // SAFETY: The tag of a single page is 0, so this is an exclusive page with a valid `T`.
        Ok(unsafe { Self::from_page(ManuallyDrop::new(pages).tagged) })
    }
}

impl<T: Contents> Deref for ExclusivePages<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: By the invariants these are 2^order valid `T`s that only `self` gives access to;
        // the reference borrows `self`.
        unsafe { core::slice::from_raw_parts(self.contents().as_ptr(), 1 << self.order()) }
    }
}

impl<T: Contents> DerefMut for ExclusivePages<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: As for `deref`; `self` is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.contents().as_ptr(), 1 << self.order()) }
    }
}

impl<T: Contents> Shareable for ExclusivePages<T> {}

impl Scrub for ExclusivePages<Bytes> {
    fn bytes(&mut self) -> &mut [u8] {
        self.as_flattened_mut()
    }

    fn page_is_bad(&self, index: usize) -> bool {
        assert!(index < self.len());
        // SAFETY: One of the pages, as just seen, which are allocated by the invariant.
        unsafe { helpers::labyrinth_pages_bad(self.page().add(index), 0) }
    }
}

impl<T: Contents> Drop for ExclusivePages<T> {
    #[inline]
    fn drop(&mut self) {
        if self.order() != 0 {
            return self.drop_block();
        }
        // SAFETY: By the invariant the page is allocated with this order and ours to free.
        unsafe { helpers::labyrinth_free_pages(self.page(), 0) };
    }
}

impl<T: Contents> ExclusivePages<T> {
    /// Frees a block of more than one page. The value must not be used afterwards.
    #[inline(never)]
    fn drop_block(&mut self) {
        if self.is_bad() {
            // SAFETY: By the invariant the pages are allocated with this order and ours to free.
            unsafe { helpers::labyrinth_free_around_bad(self.page(), self.order()) };
        } else {
            // SAFETY: As above.
            unsafe { helpers::labyrinth_free_pages(self.page(), self.order()) };
        }
    }
}

impl ExclusivePages<Uninit> {
    /// Gives the pages up, and returns the first `struct page`.
    #[inline(always)]
    pub(super) fn into_page(self) -> NonNull<bindings::page> {
        let page = ManuallyDrop::new(self).page();
        // SAFETY: By the invariant the address of a page.
        unsafe { NonNull::new_unchecked(page) }
    }

    /// Takes back the ownership that [`Self::into_page`] gave up.
    ///
    /// # Safety
    ///
    /// `page` must come from [`Self::into_page`] of pages of this `form`, and no other code may own
    /// or access them.
    #[inline(always)]
    pub(super) unsafe fn from_given(page: NonNull<bindings::page>, form: Form) -> Self {
        // INVARIANT: By the requirements.
        Self {
            tagged: page.map_addr(|address| address | form.0 as usize),
            _contents: PhantomData,
        }
    }
}
