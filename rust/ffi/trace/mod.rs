// SPDX-License-Identifier: GPL-2.0

//! The tracepoints `labyrinth:page_alloc`, `page_free`, `fallback` and `refill`.
//!
//! A tracepoint that nobody listens to costs one instruction that does nothing: it is guarded by a
//! static branch, and what it is to report is made by a closure that only a listener lets run.
//!
//! All functions may be called in any context, NMI included. Of the name of a pool the first 31
//! bytes are reported, of that of a tier the first 15.
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
    /// Two to this power is the number of pages.
    pub order: u32,
    /// The page frame number of the first page; 0 when there was none.
    pub pfn: usize,
    /// The allocation flags.
    pub gfp: bindings::gfp_t,
}

/// Pages that are given back.
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

/// A step of a request from a tier without a page to the next.
pub(crate) struct Fallback<'a> {
    /// The name of the pool.
    pub pool: &'a CStr,
    /// The name of the tier without a page.
    pub from: &'a CStr,
    /// The name of the next one.
    pub to: &'a CStr,
}

/// Pages fetched ahead of requests.
pub(crate) struct Refill<'a> {
    /// The name of the pool.
    pub pool: &'a CStr,
    /// The name of the tier that they go to.
    pub tier: &'a CStr,
    /// How many requests' worth of pages were asked for.
    pub wanted: u32,
    /// How many came.
    pub got: u32,
    /// How many there should be.
    pub target: u32,
}

/// Whether somebody listens to a tracepoint.
macro_rules! listened_to {
    ($tracepoint:ident) => {{
        #[cfg(CONFIG_TRACEPOINTS)]
        // SAFETY: A tracepoint that `trace.c` defines, whose key is a static key.
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

/// Whether somebody listens to `page_alloc`; for callers with a path of its own for that.
#[inline(always)]
pub(crate) fn page_alloc_listened_to() -> bool {
    listened_to!(__tracepoint_page_alloc)
}

/// Whether somebody listens to `page_free`; for callers that would else loop for nothing.
#[inline(always)]
pub(crate) fn page_free_listened_to() -> bool {
    listened_to!(__tracepoint_page_free)
}

/// Whether somebody listens to `fallback`.
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

// Cold: of the fast path's cache lines these should take none. Inlined into other crates, so that
// the fast path does not prepare their arguments.

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
