// SPDX-License-Identifier: GPL-2.0
// Declaring that one may sleep with interrupts off.

#[cfg(not(misuse))]
unsafe impl MaySleep for IrqsOff {}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl MaySleep for IrqsOff {}
