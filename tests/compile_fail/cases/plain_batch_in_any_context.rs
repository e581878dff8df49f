// SPDX-License-Identifier: GPL-2.0
// Like `plain_flags_in_any_context`, for a batch that may have to free its pages.

#[cfg(not(misuse))]
type Flags = GfpNoLock;
#[cfg(misuse)]
type Flags = NoWarn<GfpAtomic>;

fn case<C: Context>(cx: &C, batch: &mut Batch<Flags>, pool: &Pool) {
    // error[E0277]: is a context that may not enter the page allocator
    batch.clear(cx, Supply::Buddy(pool));
}
