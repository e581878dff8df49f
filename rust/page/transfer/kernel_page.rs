// SPDX-License-Identifier: GPL-2.0

//! Conversions to and from the kernel crate's [`Page`].
//!
//! A [`Page`] has an owner, but not exclusive access: its contents are accessed through raw
//! pointers, and safe code can map it into a process. So only a page without other users becomes an
//! [`ExclusivePage`].
//!
//! C header: [`include/linux/page_ref.h`](srctree/include/linux/page_ref.h)

use crate::{
    ffi::{
        compat::owned_page,
        helpers, //
    },
    page::{
        exclusive::{
            Contents,
            ExclusivePage,
            Uninit, //
        },
        pages::ExclusivePages, //
    }, //
};
use kernel::page::Page;

impl<T: Contents> From<ExclusivePage<T>> for Page {
    /// Gives the page to the kernel crate. Any context.
    fn from(page: ExclusivePage<T>) -> Self {
        // The kernel crate will free the page, and would not undo the charge.
        let mut pages = ExclusivePages::from(page);
        pages.uncharge();
        // SAFETY: An allocated page of order 0, which its owner gives up.
        unsafe { owned_page::from_raw(pages.into_uninit().into_page()) }
    }
}

impl TryFrom<Page> for ExclusivePage<Uninit> {
    type Error = Page;

    /// Takes a page from the kernel crate. The error has the page if it has other users, such as a
    /// process that has it mapped, if it is charged to a memory cgroup (`__GFP_ACCOUNT`), or if it
    /// is not in the linear mapping. Any context.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{page::Page, prelude::*};
    /// use labyrinth::{ExclusivePage, Uninit};
    ///
    /// fn there_and_back() -> Result<Page> {
    ///     let page = Page::alloc_page(GFP_KERNEL)?;
    ///     let mut page = ExclusivePage::<Uninit>::try_from(page).map_err(|_| EBUSY)?.zeroed();
    ///     page[0] = 1;
    ///     Ok(page.into())
    /// }
    /// ```
    fn try_from(page: Page) -> Result<Self, Page> {
        // SAFETY: A `Page` has the address of an allocated page.
        if !unsafe { helpers::labyrinth_page_has_one_user(page.as_ptr()) } {
            return Err(page);
        }
        // SAFETY: A `Page` is of order 0 and allocated. It is owned by `page` alone: each other
        // user would have a reference to it. It is in the linear mapping, as was checked.
        Ok(unsafe { Self::from_page(owned_page::into_raw(page)) })
    }
}
