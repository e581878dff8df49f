// SPDX-License-Identifier: GPL-2.0
// Declaring that the allocator may be entered in a context of one's own, and vouching for nothing.

struct Mine;

unsafe impl Context for Mine {
    const KIND: Kind = Kind::IrqsOff;
}

#[cfg(not(misuse))]
unsafe impl PlainAlloc for Mine {}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl PlainAlloc for Mine {}
