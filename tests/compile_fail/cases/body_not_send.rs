// SPDX-License-Identifier: GPL-2.0
// A thread that works on something tied to the thread that made it.

#[cfg(not(misuse))]
struct Work(u32);
#[cfg(misuse)]
struct Work(NotThreadSafe);

// error[E0277]: `*mut ()` cannot be sent between threads safely
impl Body for Work {
    fn run(&mut self, _: &mut Running) {}
}
