// SPDX-License-Identifier: GPL-2.0
// `GFP_KERNEL` with a spinlock held, in a task that may sleep otherwise.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    lock.with(task, |cx, _| {
        #[cfg(not(misuse))]
        let page = ExclusivePage::alloc(cx, GfpAtomic);
        #[cfg(misuse)]
        // error[E0277]: is atomic context, which may not sleep
        let page = ExclusivePage::alloc(cx, GfpKernel);
    });
}
