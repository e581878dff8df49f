// SPDX-License-Identifier: GPL-2.0
// The token of a critical section, taken out of it.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) {
    let mut kept: Option<&SpinLocked> = None;

    lock.with(task, |cx, held| {
        #[cfg(not(misuse))]
        let used = cx;
        #[cfg(misuse)]
        // error[E0521]: borrowed data escapes outside of closure
        let used = kept.insert(cx);
    });
    kept.take();
}
