// SPDX-License-Identifier: GPL-2.0
// A view unmapped, which sleeps, with interrupts disabled, by a second token of the task.

fn case(one: &mut Task, other: &mut Task, view: VmappedPages) {
    #[cfg(not(misuse))]
    {
        irqs_off(one, |_| view[0]);
        drop(view.unmap(other));
    }
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be shared between threads safely
    irqs_off(one, |_| drop(view.unmap(other)));
}
