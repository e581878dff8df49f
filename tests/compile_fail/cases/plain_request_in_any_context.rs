// SPDX-License-Identifier: GPL-2.0
// Like `plain_flags_in_any_context`, for a request to a pool.

fn case<C: Context>(cx: &C, pool: &Pool) {
    let mut request = Request::new(Priority::High);
    #[cfg(not(misuse))]
    let pages = pool.get_with(cx, GfpNoLock, &mut request);
    #[cfg(misuse)]
    // error[E0277]: is a context that may not enter the page allocator
    let pages = pool.get(cx, &mut request);
}
