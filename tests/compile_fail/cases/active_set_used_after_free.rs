// SPDX-License-Identifier: GPL-2.0
// Counting in the active one of two sets of counters that were freed.

fn case(sets: CpuCounterSets<2>) {
    let active = sets.active();
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `sets` because it is borrowed
    drop(sets);
    active.add(0, 1);
}
