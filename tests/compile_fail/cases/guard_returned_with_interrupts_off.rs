// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard, out of a section whose end enables the interrupts that it stands for.

fn case(task: &mut Task) {
    #[cfg(not(misuse))]
    irqs_off(task, |_| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    drop(irqs_off(task, |_| local_interrupt_disable()));
}
