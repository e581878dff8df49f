// SPDX-License-Identifier: GPL-2.0
// Making pages write-back under a spinlock, where they can only be dropped.

fn case(lock: &SpinLockBh<u32>, cx: &mut Task, blocks: KVec<AttributedPages<Uncached>>) {
    lock.with(cx, |cx, _| {
        #[cfg(not(misuse))]
        drop(blocks);
        #[cfg(misuse)]
        // error[E0277]: is atomic context, which may not sleep
        drop(AttributedPages::reset(cx, blocks));
    });
}
