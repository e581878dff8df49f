// SPDX-License-Identifier: GPL-2.0
// Declaring that softirqs may sleep.

#[cfg(not(misuse))]
unsafe impl MaySleep for Softirq {}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl MaySleep for Softirq {}
