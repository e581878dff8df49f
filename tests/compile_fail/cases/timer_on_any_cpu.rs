// SPDX-License-Identifier: GPL-2.0
// A timer for a CPU that may never come online.

struct Tick;

impl Handler for Tick {
    fn expired(&mut self, _: &mut Softirq) -> Next {
        Next::Stop
    }
}

fn case(hotplug: &HotplugGuard) {
    #[cfg(not(misuse))]
    let cpu = hotplug.online().next().unwrap();
    #[cfg(misuse)]
    let cpu: u32 = 0;

    // error[E0308]: found `u32`
    let timer = Timer::start_on(cpu, 100, Tick);
}
