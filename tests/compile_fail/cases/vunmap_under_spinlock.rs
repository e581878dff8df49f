// SPDX-License-Identifier: GPL-2.0
// Unmapping a view under a spinlock, where it can only be dropped.

fn case(lock: &SpinLockBh<u32>, cx: &mut Task, view: VmappedPages) {
    lock.with(cx, |cx, _| {
        #[cfg(not(misuse))]
        drop(view);
        #[cfg(misuse)]
        // error[E0277]: is atomic context, which may not sleep
        drop(view.unmap(cx));
    });
}
