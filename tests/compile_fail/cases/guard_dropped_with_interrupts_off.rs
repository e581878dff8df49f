// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, dropped in a section that needs them disabled.

fn case(task: &mut Task) {
    let guard = local_interrupt_disable();
    #[cfg(not(misuse))]
    irqs_off(task, |_| drop(local_interrupt_disable()));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    irqs_off(task, |_| drop(guard));
}
