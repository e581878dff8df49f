// SPDX-License-Identifier: GPL-2.0

//! `/dev/labyrinth`: a page for one process alone.
//!
//! ```c
//! int fd = open("/dev/labyrinth", O_RDWR);
//! char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
//! ```
//!
//! Each `mmap()` gives a page of its own, also to who maps the same file twice, or has it by way of
//! a socket. The page is zeroed, belongs to that address space alone ([`UserPage`] says how), and
//! goes back to the allocator, zeroed again, when the mapping ends, however that comes about.
//!
//! # What is refused
//!
//! | What                                                            | With       |
//! |-----------------------------------------------------------------|------------|
//! | a length other than one page, an offset, `MAP_PRIVATE`          | `EINVAL`   |
//! | a file that was not opened for reading and writing              | `EACCES`   |
//! | `PROT_EXEC` (later, by `mprotect()`)                            | `EPERM` (`EACCES`) |
//! | more pages at a time than `user_pages` says                     | `ENOSPC`   |
//! | no memory                                                       | `ENOMEM`   |
//! | moving the mapping by `mremap()` (growing it, a second one)     | `EINVAL` (`EFAULT`) |
//! | `madvise()` that would drop, merge, inherit or dump the page    | `EINVAL`   |
//!
//! # Where the pages come from
//!
//! From the buddy allocator, with `GFP_KERNEL`: a process can wait, so it has no claim to the
//! pools, whose pages are for those who cannot. Nothing can reclaim such a page and no memory
//! control group is charged for it, which is why their number is bounded.

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

/// What it hands out.
struct Pages {
    recorder: Recorder,
}

/// The way back of a page.
struct WayBack {
    // The order matters: the page must be accounted as freed before another may take its place.
    entry: Accounting,
    _quota: Quota,
}

impl Device {
    /// Makes the device, with `most` pages to be mapped at a time. Nobody can open it yet. Task
    /// context only, may sleep.
    pub(crate) fn new(stats: Arc<Stats>, most: u32) -> Result<Self> {
        quota::set_limit(most);
        let recorder = Recorder::new(stats, Kind::TaskKernel);

        let statistics = Registration::of_statics(&[&quota::ROWS])?;
        let device = MapDevice::new(c"labyrinth", Pages { recorder })
            .inspect_err(|_| pr_err!("cannot create the device /dev/labyrinth\n"))?;
        Ok(Self {
            device,
            _statistics: statistics,
        })
    }

    /// Lets it be opened, when nothing can fail any more. Any context.
    pub(crate) fn admit(&self) {
        self.device.admit();
    }
}

impl Mappable for Pages {
    fn mmap<'a>(&self, cx: &Task, area: NewArea<'a>) -> Result<MappedArea<'a>> {
        let quota = Quota::take().ok_or(ENOSPC)?;
        // A process that asks for a page is no reason to kill another.
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
