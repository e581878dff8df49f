// SPDX-License-Identifier: GPL-2.0
// A private part of a per-CPU cell that is tied to one thread. Any thread can hold it.

#[cfg(not(misuse))]
type Private = u64;
#[cfg(misuse)]
type Private = NotThreadSafe;

fn from_anywhere<T: Sync>(_value: &T) {}

fn case(cell: &CpuCell<Private, ()>) {
    // error[E0277]: cannot be sent between threads safely
    from_anywhere(cell);
}
