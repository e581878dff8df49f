// SPDX-License-Identifier: GPL-2.0
// Mapping pages side by side in a softirq.

#[cfg(not(misuse))]
type Here = Task;
#[cfg(misuse)]
type Here = Softirq;

fn case(pages: KVec<ExclusivePage<Bytes>>, cx: &Here) -> bool {
    // error[E0277]: is atomic context, which may not sleep
    VmappedPages::map(cx, pages).is_ok()
}
