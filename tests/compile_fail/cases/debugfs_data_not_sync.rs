// SPDX-License-Identifier: GPL-2.0
// Data for files, which any number of tasks read at once, that only one thread may touch.

#[cfg(not(misuse))]
type Data = Counter;
#[cfg(misuse)]
type Data = core::cell::Cell<u64>;

// error[E0277]: cannot be shared between threads safely
fn case(root: Root<Data>) {}
