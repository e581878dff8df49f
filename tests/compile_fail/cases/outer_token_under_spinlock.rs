// SPDX-License-Identifier: GPL-2.0
// Using the task's token inside a critical section, which must not sleep.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    #[cfg(not(misuse))]
    lock.with(task, |cx, _| {
        let page = ExclusivePage::alloc(cx, GfpAtomic);
    });
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    lock.with(task, |_, _| {
        let page = ExclusivePage::alloc(task, GfpAtomic);
    });
}
