// SPDX-License-Identifier: GPL-2.0
// Using the task's token inside a section with interrupts disabled.

fn case(task: &mut Task) {
    #[cfg(not(misuse))]
    {
        irqs_off(task, |_| ());
        drop(ExclusivePage::alloc(task, GfpKernel));
    }
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    irqs_off(task, |_| drop(ExclusivePage::alloc(task, GfpKernel)));
}
