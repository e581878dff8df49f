// SPDX-License-Identifier: GPL-2.0
// Using a second token of the task in a critical section that borrows the first. It would allow
// sleeping there.

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
