// SPDX-License-Identifier: GPL-2.0
// Declaring that a context of one's own may sleep, and vouching for nothing.

struct Mine;

unsafe impl Context for Mine {
    const KIND: Kind = Kind::Task;
}

unsafe impl PlainAlloc for Mine {}

#[cfg(not(misuse))]
unsafe impl MaySleep for Mine {}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl MaySleep for Mine {}
