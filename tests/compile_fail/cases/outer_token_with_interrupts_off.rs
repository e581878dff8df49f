// SPDX-License-Identifier: GPL-2.0
// The token of the task around a section with interrupts disabled, used inside.

fn case(task: &mut Task) {
    #[cfg(not(misuse))]
    {
        irqs_off(task, |_| ());
        drop(ExclusivePage::alloc(task, Kernel));
    }
    #[cfg(misuse)]
    // error[E0502]: cannot borrow `*task` as mutable
    irqs_off(task, |_| drop(ExclusivePage::alloc(task, Kernel)));
}
