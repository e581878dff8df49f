// SPDX-License-Identifier: GPL-2.0
// A softirq's token used in a thread.

struct Later<T>(T);

#[cfg(not(misuse))]
type Sent = ExclusivePage<Bytes>;
#[cfg(misuse)]
type Sent = &'static mut Softirq;

// error[E0277]: `*mut ()` cannot be sent between threads safely
impl Body for Later<Sent> {
    fn run(&mut self, _: &mut Running) {}
}
