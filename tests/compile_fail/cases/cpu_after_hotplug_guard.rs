// SPDX-License-Identifier: GPL-2.0
// A CPU taken for online when it may be gone.

fn case(hotplug: HotplugGuard) -> Option<u32> {
    let cpu = hotplug.online().next();
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `hotplug` because it is borrowed
    drop(hotplug);
    Some(cpu?.number())
}
