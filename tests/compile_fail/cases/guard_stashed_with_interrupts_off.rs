// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, stored by a section whose end enables them.

fn case(task: &mut Task) {
    let mut stash: Option<LocalInterruptDisabled> = None;
    #[cfg(not(misuse))]
    let mut stash = Some(1);
    #[cfg(not(misuse))]
    irqs_off(task, |_| stash = None);
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    irqs_off(task, |_| stash = Some(local_interrupt_disable()));
}
