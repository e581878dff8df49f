// SPDX-License-Identifier: GPL-2.0
// Declaring that a timer that expires in a softirq expires in a hard interrupt.

use kernel::time::{
    hrtimer::RelativeSoftMode,
    Monotonic, //
};

fn softirq(_: impl SoftMode) {}

#[cfg(misuse)]
// error[E0117]: only traits defined in the current crate can be implemented
impl HardMode for RelativeSoftMode<Monotonic> {}
