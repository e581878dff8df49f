// SPDX-License-Identifier: GPL-2.0
// The hotplug lock, a sleeping lock, released with interrupts disabled.

fn case(thread: &mut Running) {
    let hotplug = HotplugGuard::new(thread.context());
    #[cfg(not(misuse))]
    {
        irqs_off(thread.context(), |_| ());
        drop(hotplug);
    }
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    irqs_off(thread.context(), |_| drop(hotplug));
}
