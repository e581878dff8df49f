// SPDX-License-Identifier: GPL-2.0
// Reading the pages of a batch that were freed.

fn case(cx: &Softirq, mut batch: Batch<GfpAtomic>, pool: &Pool) -> u8 {
    let pages = batch.pages_mut();
    #[cfg(misuse)]
    // error[E0499]: cannot borrow `batch` as mutable more than once at a time
    batch.clear(cx, Supply::Buddy(pool));
    pages[0][0]
}
