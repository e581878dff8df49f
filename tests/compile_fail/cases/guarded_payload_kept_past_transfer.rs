// SPDX-License-Identifier: GPL-2.0
// A slice of the payload, when somebody else has the page.

fn case(cx: &Softirq, mut page: Guarded) {
    let line = &mut page[..64];
    #[cfg(misuse)]
    // error[E0505]: cannot move out of `page` because it is borrowed
    let page = page.transfer(cx);
    line[0] = 1;
}
