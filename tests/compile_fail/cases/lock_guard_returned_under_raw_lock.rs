// SPDX-License-Identifier: GPL-2.0
// A spinlock of the kernel crate, still held when the lock around it is released.

fn case(outer: &RawSpinLock<u32>, inner: &kernel::sync::SpinLock<u32>) {
    #[cfg(not(misuse))]
    outer.with(|_| *inner.lock());
    #[cfg(misuse)]
    // error[E0277]: `*mut ()` cannot be sent between threads safely
    drop(outer.with(|_| inner.lock()));
}
