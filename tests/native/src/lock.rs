// SPDX-License-Identifier: GPL-2.0

//! A spinlock.

use core::{
    cell::UnsafeCell,
    hint::spin_loop,
    sync::atomic::{
        AtomicBool,
        Ordering::{
            Acquire,
            Relaxed,
            Release, //
        }, //
    }, //
};

/// A value behind a word that is exchanged until it is free.
#[derive(Default)]
pub(crate) struct SpinLock<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: One thread at a time has access to the value.
unsafe impl<T: Send> Sync for SpinLock<T> {}

impl<T> SpinLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            held: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        while self.held.swap(true, Acquire) {
            while self.held.load(Relaxed) {
                spin_loop();
            }
        }
        // SAFETY: The lock is held, so nobody else has access.
        let result = section(unsafe { &mut *self.value.get() });
        self.held.store(false, Release);
        result
    }
}
