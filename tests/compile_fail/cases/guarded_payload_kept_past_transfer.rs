// SPDX-License-Identifier: GPL-2.0
// Keeping a slice of the payload after the page was transferred.

fn case(cx: &Softirq, mut page: Guarded) {
    let line = &mut page[..64];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `page` because it is borrowed
    let page = page.transfer(cx);
    line[0] = 1;
}
