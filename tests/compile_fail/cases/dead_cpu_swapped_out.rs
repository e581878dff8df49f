// SPDX-License-Identifier: GPL-2.0
// Exchanging the proof that a CPU is dead for an older one, and keeping it.

fn case<'a>(now: &mut DeadCpu<'a>, older: &mut DeadCpu<'a>, kept: &mut DeadCpu<'static>) {
    #[cfg(not(misuse))]
    core::mem::swap(now, older);
    #[cfg(misuse)]
    // error[E0521]: borrowed data escapes outside of function
    core::mem::swap(now, kept);
}
