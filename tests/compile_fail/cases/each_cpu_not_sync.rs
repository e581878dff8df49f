// SPDX-License-Identifier: GPL-2.0
// A callback for CPUs that come and go, with data that only one thread may touch.

#[cfg(not(misuse))]
type Count = u64;
#[cfg(misuse)]
type Count = core::cell::Cell<u64>;

struct Mine(Count);

// error[E0277]: cannot be shared between threads safely
impl CpuHandler for Mine {
    fn arrive(&self, _cpu: OnlineCpu<'_>) -> Result {
        Ok(())
    }

    fn leave(&self, _cpu: OnlineCpu<'_>) {}
}
