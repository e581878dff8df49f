// SPDX-License-Identifier: GPL-2.0
// Transferring a guarded page without a token, which tells the context of its next holder.

fn case(cx: &Softirq, page: Guarded) -> Guarded {
    #[cfg(not(misuse))]
    let to = cx;
    #[cfg(misuse)]
    let to = &();
    // error[E0277]: the trait bound
    page.transfer(to)
}
