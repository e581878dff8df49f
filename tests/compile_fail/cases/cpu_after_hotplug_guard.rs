// SPDX-License-Identifier: GPL-2.0
// Using the value of an online CPU when the CPU may be offline.

fn case(hotplug: HotplugGuard) -> Option<u32> {
    let cpu = hotplug.online().next();
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `hotplug` because it is borrowed
    drop(hotplug);
    Some(cpu?.number())
}
