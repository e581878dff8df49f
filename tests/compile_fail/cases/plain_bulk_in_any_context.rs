// SPDX-License-Identifier: GPL-2.0
// Like `plain_flags_in_any_context`, for many pages at once.

fn case<C: Context>(cx: &C) -> usize {
    #[cfg(not(misuse))]
    let gfp = GfpNoLock;
    #[cfg(misuse)]
    let gfp = GfpNoWait;
    // error[E0277]: is a context that may not enter the page allocator
    ExclusivePages::alloc_bulk(cx, gfp, 8, drop)
}
