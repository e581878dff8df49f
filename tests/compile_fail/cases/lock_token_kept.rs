// SPDX-License-Identifier: GPL-2.0
// The token of a critical section, taken out of it.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    let mut kept: Option<&SpinLocked> = None;
    #[cfg(not(misuse))]
    lock.with(task, |cx, _| drop(ExclusivePage::alloc(cx, GfpAtomic)));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    lock.with(task, |cx, _| kept = Some(cx));
    kept.take();
}
