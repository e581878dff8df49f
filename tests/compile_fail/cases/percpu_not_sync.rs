// SPDX-License-Identifier: GPL-2.0
// A per-CPU value that two CPUs must not touch at a time.

#[cfg(not(misuse))]
type Value = Counter;
#[cfg(misuse)]
type Value = core::cell::UnsafeCell<u64>;

// error[E0277]: cannot be shared between threads safely
fn case(copies: PerCpu<Value>) {}
