// SPDX-License-Identifier: GPL-2.0
// A shared reference to a token, beside other data, as the value behind a spinlock.

struct Held<'a> {
    count: u32,
    task: Option<&'a Task>,
}

fn case(numbers: &SpinLockBh<u32>, tokens: &SpinLockBh<Held<'_>>, cx: &mut Task) {
    #[cfg(not(misuse))]
    numbers.with(cx, |_, held| *held += 1);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    tokens.with(cx, |_, held| {
        drop(held.task.map(|task| ExclusivePage::alloc(task, GfpKernel)))
    });
}
