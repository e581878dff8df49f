// SPDX-License-Identifier: GPL-2.0

//! Flushing: the contents of pages for devices that do not look into the caches of the CPUs.
//!
//! Only those types have a method `flush` whose pages the CPU may have in its caches, with contents
//! that a device may see. A page that is mapped for a device is flushed by the functions of
//! [`dma`](super::dma), a page with another cache attribute is in no cache, and the contents of an
//! uninitialised page are no business of a device.
//!
//! C header: [`arch/x86/include/asm/cacheflush.h`](srctree/arch/x86/include/asm/cacheflush.h)

use crate::{
    ffi::helpers,
    page::{
        transfer::Transfer,
        Bytes,
        ContiguousPages,
        ExclusivePage,
        ExclusivePages,
        VmappedPages, //
    }, //
};
use core::ops::Range;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// Flushes a range of the contents of pages.
fn flush(contents: &[u8], range: Range<usize>) -> Result {
    let begun = Transfer::Flush.begin();
    let result = contents.get(range).ok_or(EINVAL).and_then(|part| {
        // SAFETY: The bytes can be read. The function changes nothing but what is in the caches.
        to_result(unsafe { helpers::labyrinth_flush(part.as_ptr().cast_mut().cast(), part.len()) })
    });
    begun.done(result.is_ok());
    result
}

impl ExclusivePage<Bytes> {
    /// Writes the cache lines of a range of bytes back to memory, and removes them from the caches.
    /// So a device that does not look into the caches sees these bytes, and later the CPU sees
    /// those that the device has written. Any context.
    ///
    /// Fails with `EINVAL` if the range is not within the page, and with `EOPNOTSUPP` on an
    /// architecture where a module cannot do this.
    ///
    /// # Examples
    ///
    /// ```
    /// # use kernel::prelude::*;
    /// # use labyrinth::{Bytes, ExclusivePage};
    /// # fn example(page: &mut ExclusivePage<Bytes>, tell_device: impl Fn(usize)) -> Result {
    /// page[..64].fill(0x42);
    /// page.flush(0..64)?;
    /// tell_device(page.pfn());
    /// # Ok(())
    /// # }
    /// ```
    pub fn flush(&self, range: Range<usize>) -> Result {
        flush(&**self, range)
    }
}

impl ExclusivePages<Bytes> {
    /// As [`ExclusivePage::flush`], for a range of the bytes of all pages. Any context.
    pub fn flush(&self, range: Range<usize>) -> Result {
        flush(self.as_flattened(), range)
    }
}

impl ContiguousPages<Bytes> {
    /// As [`ExclusivePage::flush`], for a range of the bytes of all pages. Any context.
    pub fn flush(&self, range: Range<usize>) -> Result {
        flush(self.as_flattened(), range)
    }
}

impl VmappedPages {
    /// As [`ExclusivePage::flush`], for a range of the bytes of all pages. Any context.
    pub fn flush(&self, range: Range<usize>) -> Result {
        flush(self, range)
    }
}
