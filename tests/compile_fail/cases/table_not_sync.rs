// SPDX-License-Identifier: GPL-2.0
// A table, which any number of threads read at once, of what only one thread may touch.

#[cfg(not(misuse))]
type Value = u32;
#[cfg(misuse)]
type Value = core::cell::Cell<u32>;

// error[E0277]: cannot be shared between threads safely
static TABLE: Handles<Value> = Handles::new();
