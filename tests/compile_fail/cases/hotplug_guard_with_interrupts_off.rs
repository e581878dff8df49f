// SPDX-License-Identifier: GPL-2.0
// Taking the hotplug lock with interrupts disabled, using the token of the context around them.

fn case(thread: &mut Running) {
    #[cfg(not(misuse))]
    {
        let hotplug = HotplugGuard::new(thread.context());
        irqs_off(thread.context(), |_| ());
        drop(hotplug);
    }
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    irqs_off(thread.context(), |_| HotplugGuard::new(thread.context()));
}
