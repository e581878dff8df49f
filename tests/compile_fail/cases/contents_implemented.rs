// SPDX-License-Identifier: GPL-2.0
// A driver's own type of contents. Only labyrinth's two types are allowed.

struct Mine;

#[cfg(misuse)]
// error[E0277]: Sealed` is not satisfied
unsafe impl labyrinth::Contents for Mine {}
