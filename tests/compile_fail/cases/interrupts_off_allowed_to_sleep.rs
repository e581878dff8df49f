// SPDX-License-Identifier: GPL-2.0
// Declaring that code with interrupts disabled may sleep. A driver cannot implement this for
// contexts of labyrinth.

struct Mine;

unsafe impl Context for Mine {
    const KIND: Kind = Kind::Task;
}

unsafe impl PlainAlloc for Mine {}

#[cfg(not(misuse))]
unsafe impl MaySleep for Mine {}
#[cfg(misuse)]
// error[E0117]: only traits defined in the current crate can be implemented
unsafe impl MaySleep for IrqsOff {}
