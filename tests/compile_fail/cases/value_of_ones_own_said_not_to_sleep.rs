// SPDX-License-Identifier: GPL-2.0
// Declaring that a value with a token of a task in it does not allow sleeping.

struct Mine<'a>(&'a Task);

#[cfg(not(misuse))]
unsafe impl NoSleep for Mine<'_> {}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl NoSleep for Mine<'_> {}
