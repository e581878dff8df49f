// SPDX-License-Identifier: GPL-2.0
// `GFP_KERNEL` with interrupts disabled, in a task that may sleep otherwise.

#[cfg(not(misuse))]
fn case(task: &mut Task) {
    drop(ExclusivePage::alloc(task, GfpKernel));
    irqs_off(task, |_| ());
}
#[cfg(misuse)]
fn case(task: &mut Task) {
    irqs_off(task, |cx| {
        // error[E0277]: is atomic context, which may not sleep
        drop(ExclusivePage::alloc(cx, GfpKernel));
    });
}
