// SPDX-License-Identifier: GPL-2.0
// Reading the pages of a batch after its ownership was given away.

fn case(mut batch: Batch<GfpAtomic>) -> u8 {
    let page = &batch.pages()[0];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `batch` because it is borrowed
    let elsewhere = [batch];
    page[0]
}
