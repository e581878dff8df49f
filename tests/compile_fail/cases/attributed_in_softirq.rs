// SPDX-License-Identifier: GPL-2.0
// Changing the cache attribute of pages in a softirq.

#[cfg(not(misuse))]
type Here = Task;
#[cfg(misuse)]
type Here = Softirq;

fn case(cx: &Here, blocks: KVec<ExclusivePages<Bytes>>) -> bool {
    // error[E0277]: is atomic context, which may not sleep
    AttributedPages::<WriteCombined>::set(cx, blocks).is_ok()
}
