// SPDX-License-Identifier: GPL-2.0
// A listener to reports of bad memory with data that only one thread may use. The kernel calls it
// on any CPU.

#[cfg(not(misuse))]
type Count = u64;
#[cfg(misuse)]
type Count = core::cell::Cell<u64>;

struct Mine(Count);

// error[E0277]: cannot be shared between threads safely
impl Listener for Mine {
    fn reported(&self) {}
}
