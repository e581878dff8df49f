// SPDX-License-Identifier: GPL-2.0

//! The tracepoints `labyrinth:page_alloc`, `page_free`, `fallback`, `refill` and `resize`.
//!
//! A tracepoint without listeners costs one instruction that does nothing: a static branch guards
//! it, and the closure that makes the data of the event runs only for a listener.
//!
//! All functions may be called in any context, NMI included. They report the first 31 bytes of the
//! name of a pool, and the first 15 of the name of a tier or
//! a reason.
//!
//! C headers: [`include/linux/tracepoint.h`](srctree/include/linux/tracepoint.h),
//! [`labyrinth_trace.h`]
//!
//! [`labyrinth_trace.h`]: rust/ffi/trace/labyrinth_trace.h

use super::{
    context::Kind,
    helpers, //
};
use kernel::{
    bindings,
    prelude::*, //
};

/// A request for pages and the answer to it.
pub(crate) struct PageAlloc<'a> {
    /// The name of the pool.
    pub pool: &'a CStr,
    /// The name of the tier that the pages came from, "none" if there are none.
    pub tier: &'a CStr,
    /// The context of the request.
    pub context: Kind,
    /// The order: two to this power is the number of pages.
    pub order: u32,
    /// The page frame number of the first page; 0 if there was none.
    pub pfn: usize,
    /// The allocation flags.
    pub gfp: bindings::gfp_t,
}

/// An event: pages were given back.
pub(crate) struct PageFree<'a> {
    /// The name of the pool.
    pub pool: &'a CStr,
    /// The name of the tier that they go to.
    pub to: &'a CStr,
    /// Two to this power is the number of pages.
    pub order: u32,
    /// The page frame number of the first page.
    pub pfn: usize,
}

/// An event: a tier had no page, so the request went on to the next tier.
pub(crate) struct Fallback<'a> {
    /// The name of the pool.
    pub pool: &'a CStr,
    /// The name of the tier without a page.
    pub from: &'a CStr,
    /// The name of the next one.
    pub to: &'a CStr,
}

/// An event: pages were fetched ahead of requests.
pub(crate) struct Refill<'a> {
    /// The name of the pool.
    pub pool: &'a CStr,
    /// The name of the tier that they go to.
    pub tier: &'a CStr,
    /// The number of blocks that were requested.
    pub wanted: u32,
    /// The number of blocks that came.
    pub got: u32,
    /// The number of blocks that the tier should have.
    pub target: u32,
}

/// An event: a window of time of a reserve that sizes itself has ended, or its target has grown.
pub(crate) struct Resized<'a> {
    /// The name of the pool.
    pub pool: &'a CStr,
    /// The reason.
    pub reason: &'a CStr,
    /// The number of blocks that the reserve should have had before.
    pub from: u32,
    /// The number of blocks that it should have now.
    pub to: u32,
    /// The largest demand of the window.
    pub high_water: u32,
}

/// Returns whether a tracepoint has a listener.
macro_rules! listened_to {
    ($tracepoint:ident) => {{
        #[cfg(CONFIG_TRACEPOINTS)]
        // SAFETY: `trace.c` defines this tracepoint, and its key is a static key.
        unsafe {
            kernel::jump_label::static_branch_unlikely!(
                helpers::$tracepoint,
                bindings::tracepoint,
                key
            )
        }
        #[cfg(not(CONFIG_TRACEPOINTS))]
        false
    }};
}

/// Returns whether `page_alloc` has a listener, for callers with a separate path for that.
#[inline(always)]
pub(crate) fn page_alloc_listened_to() -> bool {
    listened_to!(__tracepoint_page_alloc)
}

/// Returns whether `page_free` has a listener, for callers that would otherwise loop for nothing.
#[inline(always)]
pub(crate) fn page_free_listened_to() -> bool {
    listened_to!(__tracepoint_page_free)
}

/// Returns whether `fallback` has a listener.
#[inline(always)]
pub(crate) fn fallback_listened_to() -> bool {
    listened_to!(__tracepoint_fallback)
}

/// Reports a request that has been answered.
#[inline(always)]
pub(crate) fn page_alloc<'a>(event: impl FnOnce() -> PageAlloc<'a>) {
    if listened_to!(__tracepoint_page_alloc) {
        do_page_alloc(&event());
    }
}

/// Reports pages that are given back.
#[inline(always)]
pub(crate) fn page_free<'a>(event: impl FnOnce() -> PageFree<'a>) {
    if listened_to!(__tracepoint_page_free) {
        do_page_free(&event());
    }
}

/// Reports that a tier had no page.
#[inline(always)]
pub(crate) fn fallback<'a>(event: impl FnOnce() -> Fallback<'a>) {
    if listened_to!(__tracepoint_fallback) {
        do_fallback(&event());
    }
}

/// Reports a refill.
#[inline(always)]
pub(crate) fn refill<'a>(event: impl FnOnce() -> Refill<'a>) {
    if listened_to!(__tracepoint_refill) {
        do_refill(&event());
    }
}

/// Reports a decision about the target of a reserve.
#[inline(always)]
pub(crate) fn resize<'a>(event: impl FnOnce() -> Resized<'a>) {
    if listened_to!(__tracepoint_resize) {
        do_resize(&event());
    }
}

// These functions are cold, so that they take up no cache lines of the fast path. The functions
// above are inlined into other crates, so that the fast path does not prepare arguments for them.

#[cold]
#[inline]
fn do_page_alloc(event: &PageAlloc<'_>) {
    #[cfg(CONFIG_TRACEPOINTS)]
    // SAFETY: The names are NUL-terminated and live; the rest are numbers.
    unsafe {
        helpers::rust_do_trace_page_alloc(
            event.pool.as_char_ptr(),
            event.tier.as_char_ptr(),
            event.context as c_uint,
            event.order,
            event.pfn,
            event.gfp,
        )
    };
}

#[cold]
#[inline]
fn do_page_free(event: &PageFree<'_>) {
    #[cfg(CONFIG_TRACEPOINTS)]
    // SAFETY: As for `do_page_alloc`.
    unsafe {
        helpers::rust_do_trace_page_free(
            event.pool.as_char_ptr(),
            event.to.as_char_ptr(),
            event.order,
            event.pfn,
        )
    };
}

#[cold]
#[inline]
fn do_fallback(event: &Fallback<'_>) {
    #[cfg(CONFIG_TRACEPOINTS)]
    // SAFETY: As for `do_page_alloc`.
    unsafe {
        helpers::rust_do_trace_fallback(
            event.pool.as_char_ptr(),
            event.from.as_char_ptr(),
            event.to.as_char_ptr(),
        )
    };
}

#[cold]
#[inline]
fn do_refill(event: &Refill<'_>) {
    #[cfg(CONFIG_TRACEPOINTS)]
    // SAFETY: As for `do_page_alloc`.
    unsafe {
        helpers::rust_do_trace_refill(
            event.pool.as_char_ptr(),
            event.tier.as_char_ptr(),
            event.wanted,
            event.got,
            event.target,
        )
    };
}

#[cold]
#[inline]
fn do_resize(event: &Resized<'_>) {
    #[cfg(CONFIG_TRACEPOINTS)]
    // SAFETY: As for `do_page_alloc`.
    unsafe {
        helpers::rust_do_trace_resize(
            event.pool.as_char_ptr(),
            event.reason.as_char_ptr(),
            event.from,
            event.to,
            event.high_water,
        )
    };
}
