// SPDX-License-Identifier: GPL-2.0
// Initialising a timer, which arms it, when its CPU may be offline.

struct Tick;

impl Handler for Tick {
    fn expired(&mut self, _: &mut Softirq) -> Next {
        Next::Stop
    }
}

fn case(hotplug: HotplugGuard) {
    let cpu = hotplug.online().next().unwrap();
    let timer = Timer::start_on(cpu, 100, Tick);
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `hotplug` because it is borrowed
    drop(hotplug);
    let timer = KBox::pin_init(timer, GFP_KERNEL);
}
