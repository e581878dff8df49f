// SPDX-License-Identifier: GPL-2.0

//! [`HostPages`]: pages that a confidential guest shares with its host.
//!
//! ```text
//!   ExclusivePages ── share(cx, pages) sleeps ────► HostPages
//!        ▲         ◄─ take_back(cx) sleeps ───────   │
//!        │                                           │ drop, any context but NMI
//!    allocator ◄── a work of the kernel: takes back ◄┘
//! ```
//!
//! The host of a confidential guest (AMD SEV, Intel TDX) cannot read the guest's memory, apart from
//! pages that the guest shares with it, for example for a device that the host emulates.
//!
//! No page is freed while it is shared: another owner would show its contents to the host. If the
//! kernel cannot share a page or take it back, nobody knows which of both it is. Such a page is
//! lost: it stays allocated until the machine restarts.
//!
//! C header: [`include/linux/set_memory.h`](srctree/include/linux/set_memory.h)

use crate::{
    ffi::{
        context::MaySleep,
        helpers, //
    },
    page::{
        transfer::Transfer,
        Bytes,
        ExclusivePages, //
    }, //
};
use core::{
    mem::ManuallyDrop,
    ptr, //
};
use kernel::{
    error::to_result,
    page::PAGE_SIZE,
    prelude::*, //
};

/// 2^order pages that the host of a confidential guest can read and write at any time.
///
/// The contents are copied in and out ([`Self::read`], [`Self::write`]). There is no reference to
/// them, since the host can change them at any time. So check only what was copied.
///
/// Contexts: [`Self::share`] and [`Self::take_back`] sleep, and require a context that may. Access
/// in all contexts. Dropping in any context but NMI: the kernel takes the pages back and frees them
/// later, in a thread of its own. When labyrinth is unloaded, it waits for that.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::{context::Task, Bytes, ExclusivePage, HostPages};
/// # fn example(cx: &Task, page: ExclusivePage<Bytes>, ring: impl Fn(usize)) -> Result {
/// let mut mailbox = HostPages::share(cx, page).map_err(|(error, _)| error)?;
/// mailbox.write(0, b"to the host")?;
/// ring(mailbox.pfn());
/// let mut answer = [0; 16];
/// mailbox.read(64, &mut answer)?;
/// let page = mailbox.take_back(cx)?; // all zeroes
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// `pages` is a valid block of pages, owned by this value. `labyrinth_host_share()` has succeeded
/// for it, and it was not taken back since. No reference to its contents exists.
pub struct HostPages {
    pages: ManuallyDrop<ExclusivePages<Bytes>>,
}

/// Pages that could not be shared: the reason, and the unchanged pages unless they are lost.
pub(crate) type NotShared = (Error, Option<ExclusivePages<Bytes>>);

impl HostPages {
    /// Shares pages with the host, and fills them with zeroes. Sleeps.
    ///
    /// Fails with `EOPNOTSUPP` if this is no confidential guest, or if modules cannot share pages
    /// on this architecture. Then the error has the unchanged pages. After any other error, which
    /// is the kernel's, the pages are lost.
    pub fn share<C: MaySleep>(
        _cx: &C,
        pages: impl Into<ExclusivePages<Bytes>>,
    ) -> Result<Self, NotShared> {
        let begun = Transfer::ShareHost.begin();
        let result = Self::share_block(pages.into());
        begun.done(result.is_ok());
        result
    }

    fn share_block(pages: ExclusivePages<Bytes>) -> Result<Self, NotShared> {
        // SAFETY: No requirements.
        if !unsafe { helpers::labyrinth_host_exists() } {
            return Err((EOPNOTSUPP, Some(pages)));
        }
        // After an error nobody may get the pages.
        let pages = ManuallyDrop::new(pages);
        // SAFETY: Called in a context that may sleep. The pages are ours alone, and no reference to
        // their contents exists.
        to_result(unsafe { helpers::labyrinth_host_share(pages.page(), pages.order()) })
            .map_err(|error| (error, None))?;
        // INVARIANT: Just shared.
        Ok(Self { pages })
    }

    /// Takes the pages back from the host, and fills them with zeroes. Sleeps.
    ///
    /// After an error, which is the kernel's, the pages are lost.
    pub fn take_back<C: MaySleep>(self, _cx: &C) -> Result<ExclusivePages<Bytes>> {
        let begun = Transfer::TakeBackHost.begin();
        let this = ManuallyDrop::new(self);
        // SAFETY: A context that may sleep. By the invariants the pages are shared, and ours.
        let result = to_result(unsafe {
            helpers::labyrinth_host_take_back(this.pages.page(), this.pages.order())
        });
        begun.done(result.is_ok());
        result?;
        // SAFETY: The pages are exclusive again, and have zeroes in them. `this` is neither used
        // nor dropped any more.
        Ok(ManuallyDrop::into_inner(unsafe { ptr::read(&this.pages) }))
    }

    /// Copies bytes out of the pages, beginning with the byte `offset`. Any context. `EINVAL` if
    /// there are not as many bytes in the pages.
    ///
    /// If the host writes to these bytes at the same time, the copy can be a mixture.
    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result {
        let from = self.at(offset, into.len())?;
        // SAFETY: So many bytes of the pages are there, as was checked, and `into` may be written.
        unsafe { helpers::labyrinth_host_copy(into.as_mut_ptr().cast(), from.cast(), into.len()) };
        Ok(())
    }

    /// Copies bytes into the pages, beginning with the byte `offset`. Any context. `EINVAL` if
    /// there are not as many bytes in the pages.
    pub fn write(&mut self, offset: usize, from: &[u8]) -> Result {
        let into = self.at(offset, from.len())?;
        // SAFETY: So many bytes of the pages are there, as was checked. No reference to them
        // exists, by the invariant.
        unsafe { helpers::labyrinth_host_copy(into.cast(), from.as_ptr().cast(), from.len()) };
        Ok(())
    }

    /// Returns the address of a part of the contents, if they have such a part.
    fn at(&self, offset: usize, bytes: usize) -> Result<*mut u8> {
        let all = PAGE_SIZE << self.order();
        if bytes > all || offset > all - bytes {
            return Err(EINVAL);
        }
        Ok(self
            .pages
            .contents()
            .as_ptr()
            .cast::<u8>()
            .wrapping_add(offset))
    }

    /// Returns the order. Any context.
    pub fn order(&self) -> u32 {
        self.pages.order()
    }

    /// Returns the page frame number of the first page, for the host. Any context.
    pub fn pfn(&self) -> usize {
        self.pages.pfn()
    }
}

impl Drop for HostPages {
    fn drop(&mut self) {
        // SAFETY: By the invariants the pages are shared, and ours alone. Nobody uses them from
        // here on but the function, which frees them.
        unsafe { helpers::labyrinth_host_drop(self.pages.page(), self.pages.order()) };
    }
}
