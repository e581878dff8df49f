// SPDX-License-Identifier: GPL-2.0

//! [`Shared`]: pages with several readers and no writer.

use crate::{
    ffi::context::Context,
    page::gfp::{
        AllowedIn,
        SlabGfp, //
    },
    page::transfer::Transfer, //
};
use core::{
    mem::ManuallyDrop,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::Full,
        Refcount, //
    }, //
};

/// An owner of pages that can be shared. A shared reference to it gives access to its contents
/// only.
pub trait Shareable: Deref + Send + Sync + 'static {}

/// One reader of shared pages. Its size is that of a pointer.
///
/// The count of readers is beside the pages; the count in `struct page` is not touched. Cloning
/// makes another reader. Dropping the last one frees the pages. To write to the pages again, a
/// reader has to be the only one: see [`Self::take_back`].
///
/// The kernel crate's `Arc` has no such function. It cannot find out whether a reader is the last
/// one without giving up the reader.
///
/// Contexts: those of the pages. Dropping the last reader also frees memory of the slab allocator,
/// which the same contexts allow.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::{context::Task, GfpAtomic, Bytes, ExclusivePage, Shared};
/// # fn example(cx: &Task, page: ExclusivePage<Bytes>) -> Result {
/// let reader = Shared::new(cx, GfpAtomic, page).map_err(|_page| ENOMEM)?;
/// let other = reader.clone();
/// assert_eq!(reader[0], other[0]);
/// let reader = reader.take_back().err().ok_or(EINVAL)?; // there is another reader
/// drop(other);
/// let page = reader.take_back().ok();           // and now there is none
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// `inner` was boxed, and one of its `readers` is this value.
pub struct Shared<P: Shareable> {
    inner: NonNull<Inner<P>>,
}

struct Inner<P> {
    readers: Refcount,
    pages: P,
}

// SAFETY: A reader gives `&P`, and the last reader, on any thread, gives `P`.
unsafe impl<P: Shareable> Send for Shared<P> {}
// SAFETY: As above; a reader can be cloned through `&Shared`.
unsafe impl<P: Shareable> Sync for Shared<P> {}

impl<P: Shareable> Shared<P> {
    /// Shares pages, and returns the first reader.
    ///
    /// This takes a few bytes from the slab allocator, so the contexts are those of the flags. If
    /// there is no memory, the error has the pages.
    ///
    /// C header: [`include/linux/slab.h`](srctree/include/linux/slab.h)
    pub fn new<C: Context, G: SlabGfp + AllowedIn<C>>(
        _cx: &C,
        _gfp: G,
        pages: P,
    ) -> Result<Self, P> {
        let begun = Transfer::Share.begin();
        let result = match KBox::new_uninit(G::flags()) {
            Ok(inner) => {
                let inner = KBox::write(
                    inner,
                    Inner {
                        readers: Refcount::new(1),
                        pages,
                    },
                );
                // INVARIANT: `inner` is boxed, and its one reader is this value.
                Ok(Self {
                    inner: KBox::leak(inner).into(),
                })
            }
            Err(_) => Err(pages),
        };
        begun.done(result.is_ok());
        result
    }

    /// Returns the pages if this is the only reader. They are exclusive again. If there are other
    /// readers, the error has the reader. Contexts as for dropping.
    ///
    /// No other reader can be missed: only cloning makes a reader, and the reader that is cloned is
    /// counted.
    pub fn take_back(self) -> Result<P, Self> {
        let begun = Transfer::TakeBack.begin();
        let only = self.inner().readers.as_atomic().cmpxchg(1, 0, Full).is_ok();
        begun.done(only);
        if !only {
            return Err(self);
        }
        let this = ManuallyDrop::new(self);
        // SAFETY: Boxed by the invariant. This was the only reader, and now there is none. All
        // accesses of the other readers come before this, as their count went down with release
        // order.
        let inner = unsafe { KBox::from_raw(this.inner.as_ptr()) };
        Ok(KBox::into_inner(inner).pages)
    }

    fn inner(&self) -> &Inner<P> {
        // SAFETY: Boxed by the invariant, and not freed while this reader is counted. It is changed
        // by atomic operations only.
        unsafe { self.inner.as_ref() }
    }
}

impl<P: Shareable> Clone for Shared<P> {
    /// Any context.
    fn clone(&self) -> Self {
        // If the count of readers saturates, the pages are never freed, as in `Arc`.
        self.inner().readers.inc();
        // INVARIANT: This reader was just counted.
        Self { inner: self.inner }
    }
}

impl<P: Shareable> Deref for Shared<P> {
    type Target = P::Target;

    fn deref(&self) -> &P::Target {
        &self.inner().pages
    }
}

impl<P: Shareable> Drop for Shared<P> {
    fn drop(&mut self) {
        if self.inner().readers.dec_and_test() {
            // SAFETY: Boxed by the invariant, and there is no reader left. All accesses of the
            // readers come before this.
            drop(unsafe { KBox::from_raw(self.inner.as_ptr()) });
        }
    }
}
