// SPDX-License-Identifier: GPL-2.0

//! KUnit suites for everything that can be tested without an exercise.
//!
//! They run when the module is loaded into a kernel with `CONFIG_KUNIT=y`. Other kernels do not
//! compile them.

mod auto_reserve;
mod capi;
mod cpu;
mod gfp;
mod guarded;
mod histogram;
mod irq;
mod number;
mod page;
mod raw_lock;
mod registry;
mod shrinker;
mod stack;
mod stats;
mod task;
mod unload;
mod waker;

/// Pseudo-random numbers: a linear congruential generator with D. Knuth's constants (MMIX).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // The upper bits are more random.
        self.0 >> 24
    }
}
