// SPDX-License-Identifier: GPL-2.0
// A sleeping lock of the kernel crate, released with interrupts disabled.

fn case(task: &mut Task, lock: &kernel::sync::Mutex<u32>) {
    let guard = lock.lock();
    #[cfg(not(misuse))]
    {
        irqs_off(task, |_| ());
        drop(guard);
    }
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    irqs_off(task, |_| drop(guard));
}
