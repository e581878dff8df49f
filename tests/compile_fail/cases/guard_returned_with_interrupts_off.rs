// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, returned from a section whose end enables them.

fn case(task: &mut Task) {
    #[cfg(not(misuse))]
    irqs_off(task, |_| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    drop(irqs_off(task, |_| local_interrupt_disable()));
}
