// SPDX-License-Identifier: GPL-2.0

//! Lines of code that pages can be charged to, in `/proc/allocinfo`.
//!
//! A caller names its line where it requests pages:
//!
//! ```
//! # use labyrinth::{call_site, ExclusivePage, Uninit};
//! # fn example(mut page: ExclusivePage<Uninit>) {
//! page.charge(call_site!(receive));
//! # }
//! ```
//!
//! Its pages then show in a line of their own, with the file and the line of that macro:
//!
//! ```text
//!   131072       32 /home/me/driver/driver.rs:63 [driver] func:receive
//! ```
//!
//! In a kernel without `CONFIG_MEM_ALLOC_PROFILING` a [`CallSite`] has no size, and charging
//! compiles to nothing.
//!
//! [`alloc_tag.c`] explains how pages are charged.
//!
//! C header: [`include/linux/alloc_tag.h`](srctree/include/linux/alloc_tag.h)
//!
//! [`alloc_tag.c`]: rust/ffi/mm/alloc_tag.c

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
use kernel::{
    bindings,
    str::CStr, //
};

/// A line of code that pages can be charged to.
///
/// # Invariants
///
/// The module loader has initialised the tag, because the tag is in the section of the tags.
#[derive(Clone, Copy)]
pub struct CallSite(
    #[cfg(CONFIG_MEM_ALLOC_PROFILING)] &'static Tag,
    #[cfg(not(CONFIG_MEM_ALLOC_PROFILING))] (),
);

/// Makes a [`CallSite`] for the line that contains the macro. The name is for reports.
///
/// Pages that are charged to it show in a line of their own, with the name of the module that uses
/// the macro.
#[macro_export]
macro_rules! call_site {
    ($name:ident) => {{
        // The module loader looks for tags in this section, and safe code cannot put anything
        // there.
        #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
        #[link_section = "alloc_tags"]
        #[used]
        static TAG: $crate::__private::Tag = $crate::__private::Tag::new(
            kernel::c_str!(env!("RUST_MODFILE")),
            kernel::c_str!(stringify!($name)),
            kernel::c_str!(file!()),
            line!(),
        );

        // SAFETY: The tag is in the section of the tags.
        unsafe {
            $crate::__private::call_site(
                #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
                &TAG,
                #[cfg(not(CONFIG_MEM_ALLOC_PROFILING))]
                (),
            )
        }
    }};
}

/// Makes a [`CallSite`], for the macro `call_site!`.
///
/// # Safety
///
/// The tag must be in the section `alloc_tags` of a module.
#[doc(hidden)]
#[inline(always)]
pub const unsafe fn call_site(
    #[cfg(CONFIG_MEM_ALLOC_PROFILING)] tag: &'static Tag,
    #[cfg(not(CONFIG_MEM_ALLOC_PROFILING))] tag: (),
) -> CallSite {
    // INVARIANT: The caller promises exactly this.
    CallSite(tag)
}

/// Makes the kernel keep all lines when the module is unloaded while pages are out. The kernel uses
/// the lines when these pages are freed. Task context, at unload.
pub(crate) fn keep_lines() {
    // SAFETY: Counts in a tag of this module.
    #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
    unsafe {
        crate::ffi::helpers::labyrinth_keep_lines()
    };
}

/// A tag of the kernel. Only the kernel uses its numbers.
#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
#[doc(hidden)]
#[repr(transparent)]
pub struct Tag(core::cell::UnsafeCell<bindings::alloc_tag>);

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
// SAFETY: Only C code reaches the contents, by `CallSite::as_raw`, and it may do so on any CPU.
unsafe impl Sync for Tag {}

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
impl Tag {
    /// Makes a tag. `module` is the module that contains the tag, with or without a path before it.
    pub const fn new(
        module: &'static CStr,
        name: &'static CStr,
        file: &'static CStr,
        line: u32,
    ) -> Self {
        Self(core::cell::UnsafeCell::new(bindings::alloc_tag {
            ct: bindings::codetag {
                flags: 0,
                lineno: line,
                modname: after_last_slash(module.to_bytes_with_nul()).as_ptr(),
                function: name.to_bytes_with_nul().as_ptr(),
                filename: file.to_bytes_with_nul().as_ptr(),
            },
            // The module loader sets it.
            counters: core::ptr::null_mut(),
        }))
    }
}

/// Returns the last part of a path.
#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
const fn after_last_slash(path: &[u8]) -> &[u8] {
    let mut start = path.len();
    while start > 0 && path[start - 1] != b'/' {
        start -= 1;
    }
    path.split_at(start).1
}

#[cfg(CONFIG_MEM_ALLOC_PROFILING)]
impl CallSite {
    /// Returns the tag, for C.
    pub(crate) fn as_raw(self) -> *mut bindings::alloc_tag {
        self.0 .0.get()
    }
}
