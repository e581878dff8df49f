// SPDX-License-Identifier: GPL-2.0
// The task's own token inside a critical section, to claim that it may sleep.

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
