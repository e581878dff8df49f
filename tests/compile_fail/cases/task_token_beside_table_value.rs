// SPDX-License-Identifier: GPL-2.0
// A token that allows to sleep, handed to code that uses the value of a table.

fn case(table: &'static Handles<u32>, handle: Handle, task: &Task, softirq: &Softirq) {
    #[cfg(not(misuse))]
    table.with(handle, softirq, |_, cx| {
        drop(ExclusivePage::alloc(cx, GfpAtomic))
    });
    #[cfg(misuse)]
    // error[E0277]: may be a context that allows to sleep
    table.with(handle, task, |_, cx| {
        drop(ExclusivePage::alloc(cx, GfpAtomic))
    });
    let _ = (task, softirq);
}
