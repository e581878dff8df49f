// SPDX-License-Identifier: GPL-2.0
// A shared part of a per-CPU cell that two CPUs must not use at the same time.

#[cfg(not(misuse))]
type Shared = Counter;
#[cfg(misuse)]
type Shared = core::cell::UnsafeCell<u64>;

fn from_anywhere<T: Sync>(_value: &T) {}

fn case(cell: &CpuCell<u64, Shared>) {
    // error[E0277]: cannot be shared between threads safely
    from_anywhere(cell);
}
