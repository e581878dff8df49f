// SPDX-License-Identifier: GPL-2.0

//! `/dev/labyrinth`, which gives pages to processes. A page belongs to one process alone.
//!
//! ```c
//! int fd = open("/dev/labyrinth", O_RDWR);
//! char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
//! ```
//!
//! Each `mmap()` gives a page of its own, even if a process maps the same file twice, or got the
//! file from another process through a socket. The page is zeroed and belongs to that address space
//! alone; [`UserPage`] says how. When the mapping ends, for whatever reason, the page is zeroed
//! again and goes back to the allocator.
//!
//! # Errors
//!
//! | request                                                         | error      |
//! |-----------------------------------------------------------------|------------|
//! | a length other than one page, an offset, `MAP_PRIVATE`          | `EINVAL`   |
//! | a file that was not opened for reading and writing              | `EACCES`   |
//! | `PROT_EXEC` (later, by `mprotect()`)                            | `EPERM` (`EACCES`) |
//! | more pages at a time than the parameter `user_pages` allows     | `ENOSPC`   |
//! | no memory                                                       | `ENOMEM`   |
//! | moving the mapping by `mremap()` (growing it, a second one)     | `EINVAL` (`EFAULT`) |
//! | `madvise()` that would drop, merge, inherit or dump the page    | `EINVAL`   |
//!
//! # Source of the pages
//!
//! The pages come from the buddy allocator, with `GFP_KERNEL`. They do not come from a pool,
//! because a process can wait, and pools are for code that cannot. The number of pages is limited
//! because the kernel can reclaim none of them, and charges no memory control group for them.

#![forbid(unsafe_code)]

mod quota;

use core::pin::Pin;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    call_site,
    context::Task,
    pool::{
        alloc_single,
        Accounting, //
    },
    stats::{
        Kind,
        Recorder,
        Registration,
        Stats, //
    },
    user_map::{
        MapDevice,
        Mappable,
        MappedArea,
        NewArea, //
    },
    Bytes,
    ExclusivePage,
    Gfp,
    GfpKernel,
    Home,
    MayFail,
    Uninit,
    UserPage, //
};
use quota::Quota;

pub(crate) use quota::MAX_USER_PAGES;

/// The device.
pub(crate) struct Device {
    device: Pin<KBox<MapDevice<Pages>>>,
    _statistics: Registration,
}

/// The source of the device's pages.
struct Pages {
    recorder: Recorder,
}

/// The accounting of a page, until it is given back.
struct WayBack {
    // The order matters: the page must be accounted as freed before its quota is given back.
    entry: Accounting,
    _quota: Quota,
}

impl Device {
    /// Makes the device, which lets at most `most` pages be mapped at a time. No process can open
    /// it yet. Task context only, may sleep.
    pub(crate) fn new(stats: Arc<Stats>, most: u32) -> Result<Self> {
        quota::set_limit(most);
        let labels = Kind {
            context: "task",
            gfp: GfpKernel::NAME,
        };
        let recorder = Recorder::new(stats, labels)?;

        let statistics = Registration::of_statics(&[&quota::ROWS])?;
        let device = MapDevice::new(c"labyrinth", Pages { recorder })
            .inspect_err(|_| pr_err!("cannot create the device /dev/labyrinth\n"))?;
        Ok(Self {
            device,
            _statistics: statistics,
        })
    }

    /// Lets processes open the device. Loading the module must not fail after this. Any context.
    pub(crate) fn admit(&self) {
        self.device.admit();
    }
}

impl Mappable for Pages {
    fn mmap<'a>(&self, cx: &Task, area: NewArea<'a>) -> Result<MappedArea<'a>> {
        let quota = Quota::take().ok_or(ENOSPC)?;
        // With `MayFail`, the allocator does not kill a process to get a page for another one.
        let (page, entry) = alloc_single(
            cx,
            MayFail(GfpKernel),
            &self.recorder,
            call_site!(user_page),
        )
        .ok_or(ENOMEM)?;
        let home = WayBack {
            entry,
            _quota: quota,
        };

        UserPage::map(cx, area, page.zeroed(), home).map_err(|refused| {
            refused.home.returned(refused.page);
            refused.error
        })
    }
}

impl Home for WayBack {
    fn returned(self, page: ExclusivePage<Bytes>) {
        self.entry.free(page.into_uninit());
    }

    fn returned_bad(self, page: ExclusivePage<Uninit>) {
        self.entry.free(page);
    }
}
