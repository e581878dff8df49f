// SPDX-License-Identifier: GPL-2.0
// Data of files that only one thread may use. Many tasks can read a file at once.

#[cfg(not(misuse))]
type Data = Counter;
#[cfg(misuse)]
type Data = core::cell::Cell<u64>;

// error[E0277]: cannot be shared between threads safely
fn case(root: Root<Data>) {}
