// SPDX-License-Identifier: GPL-2.0
// A table of values that only one thread may use. Any number of threads read a table at once.

#[cfg(not(misuse))]
type Value = u32;
#[cfg(misuse)]
type Value = core::cell::Cell<u32>;

// error[E0277]: cannot be shared between threads safely
static TABLE: Handles<Value> = Handles::new();
