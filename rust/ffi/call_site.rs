// SPDX-License-Identifier: GPL-2.0

//! Lines of code that pages can be charged to, in `/proc/allocinfo`.
//!
//! A caller names itself where it asks for pages:
//!
//! ```ignore
//! Holder::new(gfp, recorder, call_site!(task_atomic))
//! ```
//!
//! and its pages then show in a line of their own, with the file and the line of that macro:
//!
//! ```text
//!   131072       32 rust/exercise/task.rs:63 [labyrinth] func:task_atomic
//! ```
//!
//! The kernel wants the description of such a line in a section of the module, which safe code
//! cannot put anything into. So a rule in `Kbuild` collects the uses of the macro, and this file
//! makes a tag of each. In a kernel without `CONFIG_MEM_ALLOC_PROFILING` a [`CallSite`] has no size
//! and charging compiles to nothing.
//!
//! How pages are charged is explained in [`alloc_tag.c`]. C header:
//! [`include/linux/alloc_tag.h`](srctree/include/linux/alloc_tag.h)
//!
//! [`alloc_tag.c`]: rust/ffi/alloc_tag.c

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
use kernel::{
    bindings,
    str::CStr, //
};

/// A line of code that pages can be charged to.
#[derive(Clone, Copy)]
pub(crate) struct CallSite {
    #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
    tag: &'static Tag,
}

/// Names the line that it is written in, as a [`CallSite`]; the name has to be used once only.
macro_rules! call_site {
    ($name:ident) => {
        $crate::ffi::call_site::sites::$name()
    };
}
pub(crate) use call_site;

/// Has the kernel keep all lines when the module is unloaded, because pages stay out that it will look
/// for there when they are freed. Task context, at unload.
pub(crate) fn keep_lines() {
    // SAFETY: Counts in a tag of this module.
    #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
    unsafe {
        super::helpers::labyrinth_keep_lines()
    };
}

/// A tag of the kernel's; its numbers are the kernel's business.
#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
#[repr(transparent)]
struct Tag(core::cell::UnsafeCell<bindings::alloc_tag>);

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
// SAFETY: Only C code gets at the contents, by `CallSite::as_raw`, and it may do so on any CPU.
unsafe impl Sync for Tag {}

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
impl Tag {
    const fn new(name: &'static CStr, file: &'static CStr, line: u32) -> Self {
        Self(core::cell::UnsafeCell::new(bindings::alloc_tag {
            ct: bindings::codetag {
                flags: 0,
                lineno: line,
                modname: c"labyrinth".to_bytes_with_nul().as_ptr(),
                function: name.to_bytes_with_nul().as_ptr(),
                filename: file.to_bytes_with_nul().as_ptr(),
            },
            // The module loader fills it in.
            counters: core::ptr::null_mut(),
        }))
    }
}

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
impl CallSite {
    /// The tag, for C.
    pub(crate) fn as_raw(self) -> *mut bindings::alloc_tag {
        self.tag.0.get()
    }
}

/// A [`CallSite`] for each use of the macro. `Kbuild` writes the list.
pub(crate) mod sites {
    use super::CallSite;
    #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
    use super::Tag;

    macro_rules! site {
        ($name:ident, $file:literal, $line:literal) => {
            /// The caller of this name.
            #[inline(always)]
            pub(crate) fn $name() -> CallSite {
                #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
                #[link_section = "alloc_tags"]
                #[used]
                static TAG: Tag = Tag::new(
                    kernel::c_str!(stringify!($name)),
                    kernel::c_str!($file),
                    $line,
                );

                CallSite {
                    #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
                    tag: &TAG,
                }
            }
        };
    }

    include!(concat!(env!("LABYRINTH_BINDINGS"), ".call_sites"));
}
