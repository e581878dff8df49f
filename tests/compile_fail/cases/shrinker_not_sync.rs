// SPDX-License-Identifier: GPL-2.0
// A shrinker with data that only one thread may use. Several threads can call it at once.

#[cfg(not(misuse))]
type Count = u64;
#[cfg(misuse)]
type Count = core::cell::Cell<u64>;

struct Mine(Count);

// error[E0277]: cannot be shared between threads safely
impl Shrink for Mine {
    fn count(&self) -> usize {
        0
    }

    fn scan(&self, _wanted: usize) -> usize {
        0
    }
}
