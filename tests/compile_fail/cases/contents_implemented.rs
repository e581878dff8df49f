// SPDX-License-Identifier: GPL-2.0
// Contents that somebody outside vouches for: there are only two.

struct Mine;

#[cfg(misuse)]
// error[E0277]: Sealed` is not satisfied
unsafe impl labyrinth::Contents for Mine {}
