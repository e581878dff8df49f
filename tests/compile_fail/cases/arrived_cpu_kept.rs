// SPDX-License-Identifier: GPL-2.0
// Keeping the value of an online CPU after the callback, when the CPU may be offline.

struct Mine(core::sync::atomic::AtomicU32);

impl CpuHandler for Mine {
    #[cfg(not(misuse))]
    fn arrive(&self, cpu: OnlineCpu<'_>) -> Result {
        self.0
            .store(cpu.number(), core::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    #[cfg(misuse)]
    fn arrive(&self, cpu: OnlineCpu<'_>) -> Result {
        // error[E0521]: borrowed data escapes
        keep(cpu);
        Ok(())
    }

    fn leave(&self, _cpu: OnlineCpu<'_>) {}
}

#[cfg(misuse)]
fn keep(_cpu: OnlineCpu<'static>) {}
