// SPDX-License-Identifier: GPL-2.0
// A timer's handler that is tied to the thread that made it.

#[cfg(not(misuse))]
struct Tick(u32);
#[cfg(misuse)]
struct Tick(NotThreadSafe);

// error[E0277]: `*mut ()` cannot be sent between threads safely
impl Handler<HardIrq> for Tick {
    fn expired(&mut self, _: &mut HardIrq) -> Next {
        Next::Stop
    }
}
