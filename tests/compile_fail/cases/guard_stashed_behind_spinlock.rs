// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, stored behind a spinlock that is released with
// them enabled.

fn case(
    numbers: &SpinLockBh<Option<u32>>,
    guards: &SpinLockBh<Option<LocalInterruptDisabled>>,
    task: &mut Task,
) {
    #[cfg(not(misuse))]
    numbers.with(task, |_, held| *held = Some(1));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    guards.with(task, |_, held| *held = Some(local_interrupt_disable()));
}
