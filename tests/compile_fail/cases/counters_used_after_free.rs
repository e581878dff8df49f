// SPDX-License-Identifier: GPL-2.0
// Counting in per-CPU memory that was freed.

fn case(counters: CpuCounters<2>) {
    let count = || counters.add(0, 1);
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `counters` because it is borrowed
    drop(counters);
    count();
}
