// SPDX-License-Identifier: GPL-2.0
// Declaring that `GFP_KERNEL` is fine in a softirq.

#[cfg(not(misuse))]
unsafe impl AllowedIn<Softirq> for Kernel {}
#[cfg(misuse)]
// error[E0200]: requires an `unsafe impl` declaration
impl AllowedIn<Softirq> for Kernel {}
