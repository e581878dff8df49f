// SPDX-License-Identifier: GPL-2.0
// A modifier does not make `GFP_KERNEL` fit for a softirq.

fn case(cx: &Softirq) {
    #[cfg(not(misuse))]
    let page = ExclusivePage::alloc(cx, NoWarn(GfpAtomic));
    #[cfg(misuse)]
    // error[E0277]: is atomic context, which may not sleep
    let page = ExclusivePage::alloc(cx, NoWarn(GfpKernel));
}
