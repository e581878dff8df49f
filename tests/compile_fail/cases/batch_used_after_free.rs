// SPDX-License-Identifier: GPL-2.0
// Reading the pages of a batch that was dropped.

fn case(mut batch: Batch<GfpAtomic>) -> u8 {
    let pages = batch.pages();
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `batch` because it is borrowed
    drop(batch);
    pages[0][0]
}
