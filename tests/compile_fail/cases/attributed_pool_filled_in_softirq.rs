// SPDX-License-Identifier: GPL-2.0
// Filling a pool of blocks with a cache attribute in a softirq, which may only take from it.

#[cfg(not(misuse))]
type Here = Task;
#[cfg(misuse)]
type Here = Softirq;

fn case(cx: &Here, pool: &AttributedPool<WriteCombined>) -> bool {
    // error[E0277]: is atomic context, which may not sleep
    pool.get().is_some() || pool.fill(cx, 1).is_ok()
}
