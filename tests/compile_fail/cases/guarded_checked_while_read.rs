// SPDX-License-Identifier: GPL-2.0
// Checking and repairing guards while the payload is borrowed.

fn case(mut page: Guarded) -> u8 {
    let line = &page[..64];
    #[cfg(misuse)]
    // error[E0502]: cannot borrow `page` as mutable because it is also borrowed as immutable
    let outcome = page.check();
    line[0]
}
