// SPDX-License-Identifier: GPL-2.0
// The private part of a per-CPU cell, which any thread may come to hold, that is tied to one.

#[cfg(not(misuse))]
type Private = u64;
#[cfg(misuse)]
type Private = NotThreadSafe;

fn from_anywhere<T: Sync>(_value: &T) {}

fn case(cell: &CpuCell<Private, ()>) {
    // error[E0277]: cannot be sent between threads safely
    from_anywhere(cell);
}
