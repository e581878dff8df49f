// SPDX-License-Identifier: GPL-2.0
// Sharing that may sleep for the few bytes that it needs, in a softirq.

#[cfg(not(misuse))]
const FLAGS: GfpAtomic = GfpAtomic;
#[cfg(misuse)]
const FLAGS: GfpKernel = GfpKernel;

fn case(page: ExclusivePage<Bytes>, cx: &Softirq) -> bool {
    // error[E0277]: is atomic context, which may not sleep
    Shared::new(cx, FLAGS, page).is_ok()
}
