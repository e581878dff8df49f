// SPDX-License-Identifier: GPL-2.0
// Taking pages back from the host under a spinlock, where they can only be dropped.

fn case(lock: &SpinLockBh<u32>, cx: &mut Task, pages: HostPages) {
    lock.with(cx, |cx, _| {
        #[cfg(not(misuse))]
        drop(pages);
        #[cfg(misuse)]
        // error[E0277]: is atomic context, which may not sleep
        drop(pages.take_back(cx));
    });
}
