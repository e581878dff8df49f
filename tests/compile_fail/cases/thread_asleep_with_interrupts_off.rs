// SPDX-License-Identifier: GPL-2.0
// A thread that sleeps with interrupts disabled by another wrapper's token.

fn case(thread: &mut Running, other: &mut Task) -> ShouldStop {
    #[cfg(not(misuse))]
    irqs_off(other, |_| ());
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    irqs_off(other, |_| drop(thread.sleep_us(100)));
    thread.sleep_us(100)
}
