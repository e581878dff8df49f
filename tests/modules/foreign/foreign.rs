// SPDX-License-Identifier: GPL-2.0

//! A driver for `tests/selftests/user_page.py` that is loaded twice, under two names. The second
//! copy makes the first one map a page into an area of the second copy's device, and make a file in
//! its folder. labyrinth must refuse both, because nothing would keep the first copy loaded while
//! the area or the file exists.

#![deny(unsafe_code)]

use kernel::{
    prelude::*,
    seq_file::SeqFile,
    sync::Arc, //
};
use labyrinth::{
    compat::parameter,
    context::Task,
    debugfs::{
        Dir,
        Root,
        Show, //
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
    UserPage, //
};

module! {
    type: Foreign,
    // The test changes the last letter, to load the module twice.
    name: "labyrinth_foreign_x",
    authors: ["The labyrinth developers"],
    description: "Lets another driver do its work, for labyrinth's tests",
    license: "GPL",
    params: {
        map: u64 {
            default: 0,
            description: "address of map_a_page() in another copy (0: its own)",
        },
        file: u64 {
            default: 0,
            description: "address of make_a_file() in another copy (0: its own)",
        },
    },
}

labyrinth::import!();

type Map = for<'a> fn(&Task, NewArea<'a>) -> Result<MappedArea<'a>>;
type MakeFile = fn(&Dir<'_, ()>);

// These keep the two functions in the module, under names that the test finds.
#[used]
static MAP: Map = map_a_page;
#[used]
static MAKE_FILE: MakeFile = make_a_file;

/// Maps a page whose home is code of this module.
fn map_a_page<'a>(cx: &Task, area: NewArea<'a>) -> Result<MappedArea<'a>> {
    let page = ExclusivePage::alloc(cx, GfpKernel)?.zeroed();
    UserPage::map(cx, area, page, Freed).map_err(|refused| refused.error)
}

/// The home of a page, which only frees it.
struct Freed;

impl Home for Freed {
    fn returned(self, page: ExclusivePage<Bytes>) {
        drop(page);
    }
}

/// Makes a file whose contents are written by code of this module.
fn make_a_file(folder: &Dir<'_, ()>) {
    folder.read_only::<Empty>(c"file");
}

/// A file without contents.
struct Empty;

impl Show<()> for Empty {
    fn show(_data: &(), _out: &SeqFile) -> Result {
        Ok(())
    }
}

/// The pages of the device.
struct Pages(Map);

impl Mappable for Pages {
    fn mmap<'a>(&self, cx: &Task, area: NewArea<'a>) -> Result<MappedArea<'a>> {
        (self.0)(cx, area)
    }
}

#[allow(unsafe_code, reason = "it calls another copy of this module")]
mod other {
    use super::{
        MakeFile,
        Map, //
    };
    use core::mem::transmute;

    /// `map_a_page()` of another copy.
    pub(super) fn map(address: u64) -> Map {
        // SAFETY: The test passes the address of that function, and both copies are of one build.
        unsafe { transmute(address) }
    }

    /// `make_a_file()` of another copy.
    pub(super) fn make_file(address: u64) -> MakeFile {
        // SAFETY: As above.
        unsafe { transmute(address) }
    }
}

/// The loaded module.
struct Foreign {
    _device: Pin<KBox<MapDevice<Pages>>>,
    _files: Root<()>,
}

impl kernel::Module for Foreign {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let map = match parameter(&module_parameters::map) {
            0 => MAP,
            address => other::map(address),
        };
        let make_file = match parameter(&module_parameters::file) {
            0 => MAKE_FILE,
            address => other::make_file(address),
        };

        let files = Root::new(c"labyrinth_foreign_x", Arc::new((), GFP_KERNEL)?)?;
        make_file(&files.top());
        let device = MapDevice::new(c"labyrinth_foreign_x", Pages(map))?;
        device.admit();
        Ok(Self {
            _device: device,
            _files: files,
        })
    }
}
