// SPDX-License-Identifier: GPL-2.0
// Declaring that the token of a task does not allow sleeping, so that sections of other values take
// it.

struct Mine;

#[cfg(not(misuse))]
unsafe impl NoSleep for Mine {}
#[cfg(misuse)]
// error[E0117]: only traits defined in the current crate can be implemented
unsafe impl NoSleep for Task {}
