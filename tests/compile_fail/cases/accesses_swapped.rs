// SPDX-License-Identifier: GPL-2.0
// Exchanging the accesses to two mapped pages, so that each ends the access to the other page.

fn case<'d>(mut one: Mapped<'d, Bidirectional>, mut other: Mapped<'d, Bidirectional>) -> u64 {
    let mut first = one.sync_for_cpu();
    let mut second = other.sync_for_cpu();
    #[cfg(misuse)]
    core::mem::swap(&mut first, &mut second);
    drop(first);
    // error[E0502]: cannot borrow `one` as immutable because it is also borrowed as mutable
    let address = one.address();
    drop(second);
    address
}
