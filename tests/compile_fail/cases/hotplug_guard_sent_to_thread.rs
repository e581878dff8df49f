// SPDX-License-Identifier: GPL-2.0
// The hotplug lock, released by another task than the one that took it.

struct Later<T>(T);

#[cfg(not(misuse))]
type Sent = u32;
#[cfg(misuse)]
type Sent = HotplugGuard;

// error[E0277]: `*mut ()` cannot be sent between threads safely
impl Body for Later<Sent> {
    fn run(&mut self, _: &mut Running) {}
}
