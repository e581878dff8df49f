// SPDX-License-Identifier: GPL-2.0
// Walking over the online CPUs while they come and go.

fn case(hotplug: HotplugGuard) {
    let mut cpus = hotplug.online();
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `hotplug` because it is borrowed
    drop(hotplug);
    cpus.next();
}
