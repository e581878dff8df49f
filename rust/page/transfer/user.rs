// SPDX-License-Identifier: GPL-2.0

//! Pages that are mapped into a process: [`UserPage`].

use crate::{
    ffi::{
        context::MaySleep,
        mm::user_map::{
            MappedArea,
            NewArea, //
        }, //
    },
    page::transfer::Transfer,
    page::{
        Bytes,
        ExclusivePage,
        Uninit, //
    }, //
};
use core::{
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    prelude::*, //
};

/// Receives a page when its process is done with it.
pub trait Home: Send + Sync + 'static {
    /// Takes the zeroed page. Task context, may sleep, with the `mmap_lock` of the process held.
    fn returned(self, page: ExclusivePage<Bytes>);

    /// Takes a page that has gone bad. Dropping it takes it out of use. It is not zeroed, because
    /// access to it may stop the machine. Context as above.
    fn returned_bad(self, page: ExclusivePage<Uninit>)
    where
        Self: Sized,
    {
        drop(page);
    }
}

/// A page that only one process can access.
///
/// Code that holds this value can neither access the contents nor get the page back before the
/// mapping ends. So the mapping itself holds the value.
///
/// ```text
///   ExclusivePage<Bytes> ── map() ──► UserPage, in the mapping
///            ▲                             │ munmap(), execve(), exit
///            └───── Home::returned() ◄─────┘ (zeroed)
/// ```
///
/// "One process" means one address space. It includes threads, and children that share the address
/// space until they call `execve()` (`vfork()`).
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::{context::Task, user_map::{Mappable, MappedArea, NewArea}};
/// # use labyrinth::{Bytes, ExclusivePage, Home, GfpKernel, UserPage};
/// struct FreeIt;
///
/// impl Home for FreeIt {
///     fn returned(self, page: ExclusivePage<Bytes>) {
///         drop(page);
///     }
/// }
///
/// struct Pages;
///
/// impl Mappable for Pages {
///     fn mmap<'a>(&self, cx: &Task, area: NewArea<'a>) -> Result<MappedArea<'a>> {
///         let page = ExclusivePage::alloc(cx, GfpKernel)?.zeroed();
///         UserPage::map(cx, area, page, FreeIt).map_err(|refused| refused.error)
///     }
/// }
/// ```
///
/// # Invariants
///
/// `page` is an allocated page of order 0 in the linear mapping, owned by this value. Only the
/// process that has it mapped accesses its contents.
pub struct UserPage<H: Home> {
    page: NonNull<bindings::page>,
    home: ManuallyDrop<H>,
}

// SAFETY: A page is not tied to a thread or CPU, and `H` is `Send`.
unsafe impl<H: Home> Send for UserPage<H> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<H: Home> Sync for UserPage<H> {}

/// A page that could not be mapped.
pub struct Refused<H> {
    /// The reason.
    pub error: Error,
    /// The unchanged page.
    pub page: ExclusivePage<Bytes>,
    /// The home that was passed with the page.
    pub home: H,
}

impl<H: Home> UserPage<H> {
    /// Gives a page to the process that makes the mapping `area`, and to no other. The process sees
    /// the contents of the page. When the mapping ends, the page is zeroed and goes to its `home`.
    /// A page that has gone bad is not zeroed, see [`Home::returned_bad`].
    ///
    /// Contexts: those that may sleep. Fails with `ENOMEM` if there is no memory for page tables.
    /// The error has the page.
    ///
    /// C header: [`include/linux/mm.h`](srctree/include/linux/mm.h)
    pub fn map<'a, C: MaySleep>(
        cx: &C,
        area: NewArea<'a>,
        page: ExclusivePage<Bytes>,
        home: H,
    ) -> Result<MappedArea<'a>, Refused<H>> {
        let transfer = Transfer::MapUser.begin();
        let frame = page.pfn();
        // INVARIANT: The page moves into the value. No code accesses it yet. Once it is mapped,
        // only the process does.
        let this = Self {
            page: page.into_page(),
            home: ManuallyDrop::new(home),
        };

        // SAFETY: The frame of an allocated page of order 0 that belongs to `this`, which does not
        // access the page before it is dropped.
        let result = unsafe { area.give(cx, frame, this) };
        transfer.done(result.is_ok());
        result.map_err(|(error, this)| {
            let mut this = ManuallyDrop::new(this);
            Refused {
                error,
                // SAFETY: By the invariant the page is allocated and owned, and no process was
                // given it. The contents are the `Bytes` that they were. `this` is not used any
                // more.
                page: unsafe { ExclusivePage::from_page(this.page) },
                // SAFETY: Taken once, as `this` is not dropped.
                home: unsafe { ManuallyDrop::take(&mut this.home) },
            }
        })
    }
}

impl<H: Home> Drop for UserPage<H> {
    /// Zeroes the page, unless it has gone bad, and passes it to its home. Called when the last
    /// mapping is gone.
    fn drop(&mut self) {
        let transfer = Transfer::ReturnUser.begin();
        // SAFETY: By the invariant this value owns the page. No process has access any more, as
        // `NewArea::give` promises. Any bytes are a valid `Uninit`.
        let page = unsafe { ExclusivePage::<Uninit>::from_page(self.page) };
        // SAFETY: Taken once, when the value is dropped.
        let home = unsafe { ManuallyDrop::take(&mut self.home) };

        if page.is_bad() {
            transfer.done(true);
            return home.returned_bad(page);
        }
        let page = page.zeroed();
        transfer.done(true);
        home.returned(page);
    }
}
