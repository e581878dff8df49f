// SPDX-License-Identifier: GPL-2.0
// A batch of `GFP_KERNEL` pages, filled in a softirq.

#[cfg(not(misuse))]
type Flags = NoWarn<GfpAtomic>;
#[cfg(misuse)]
type Flags = NoWarn<GfpKernel>;

fn case(batch: &mut Batch<Flags>, cx: &Softirq, pool: &Pool) {
    // error[E0277]: is atomic context, which may not sleep
    batch.fill(cx, 16, Supply::Buddy(pool));
}
