// SPDX-License-Identifier: GPL-2.0
// Allocating with plain flags in a context in which the allocator's locks may be forbidden, such as
// a hard interrupt on PREEMPT_RT.

fn case<C: Context>(cx: &C) {
    #[cfg(not(misuse))]
    let page = ExclusivePage::alloc(cx, GfpNoLock);
    #[cfg(misuse)]
    // error[E0277]: is a context that may not enter the page allocator
    let page = ExclusivePage::alloc(cx, NoWarn(GfpAtomic));
}
