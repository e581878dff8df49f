// SPDX-License-Identifier: GPL-2.0
// Taking a sleeping lock in a softirq.

fn case(task: &Task, softirq: &Softirq) {
    #[cfg(not(misuse))]
    let hotplug = HotplugGuard::new(task);
    #[cfg(misuse)]
    // error[E0308]: mismatched types
    let hotplug = HotplugGuard::new(softirq);
}
