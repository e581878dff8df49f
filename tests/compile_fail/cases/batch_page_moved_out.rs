// SPDX-License-Identifier: GPL-2.0
// Taking a page away from the batch that counts it.

fn case(batch: &mut Batch<GfpAtomic>) {
    #[cfg(not(misuse))]
    let page = &batch.pages()[0];
    #[cfg(misuse)]
    // error[E0508]: a non-copy slice
    let page = batch.pages()[0];
}
