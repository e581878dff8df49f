// SPDX-License-Identifier: GPL-2.0
// A token of the task beside the one that a critical section borrows: it would allow to sleep there.

fn case(lock: &SpinLockBh<u32>, task: &mut Task) -> Result {
    #[cfg(not(misuse))]
    with_task(|inner| {
        drop(ExclusivePage::alloc(task, GfpKernel));
        lock.with(inner, |_, held| *held)
    })?;
    #[cfg(misuse)]
    // error[E0277]: cannot be shared between threads safely
    with_task(|inner| lock.with(inner, |_, _| ExclusivePage::alloc(task, GfpKernel).is_ok()))?;
    Ok(())
}
