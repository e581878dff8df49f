// SPDX-License-Identifier: GPL-2.0
// A page is handed over to nobody in particular.

fn case(cx: &Softirq, page: Guarded) -> Guarded {
    #[cfg(not(misuse))]
    let to = cx;
    #[cfg(misuse)]
    let to = &();
    // error[E0277]: the trait bound
    page.transfer(to)
}
