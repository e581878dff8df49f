// SPDX-License-Identifier: GPL-2.0
// Like `plain_flags_in_any_context`, for pages that a pool may have to free.

fn case<C: Context>(cx: &C, pool: &Pool, pages: ExclusivePages<Uninit>) {
    #[cfg(not(misuse))]
    pool.put_with(cx, GfpNoLock, pages);
    #[cfg(misuse)]
    // error[E0277]: is a context that may not enter the page allocator
    pool.put_with(cx, GfpAtomic, pages);
}
