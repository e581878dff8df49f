// SPDX-License-Identifier: GPL-2.0
// A callback for dead CPUs with data that only one thread may use.

#[cfg(not(misuse))]
type Count = u64;
#[cfg(misuse)]
type Count = core::cell::Cell<u64>;

struct Mine(Count);

// error[E0277]: cannot be shared between threads safely
impl CpuDead for Mine {
    fn dead(&self, _cpu: &mut DeadCpu<'_>) {}
}
