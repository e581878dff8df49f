// SPDX-License-Identifier: GPL-2.0
// The kernel crate's guard of disabled interrupts, stored behind a lock whose release enables them.

fn case(numbers: &RawSpinLock<Option<u32>>, guards: &RawSpinLock<Option<LocalInterruptDisabled>>) {
    #[cfg(not(misuse))]
    numbers.with(|held| *held = Some(1));
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    guards.with(|held| *held = Some(local_interrupt_disable()));
}
