// SPDX-License-Identifier: GPL-2.0
// A shrinker, which is asked by several threads at once, that works on what only one may touch.

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
