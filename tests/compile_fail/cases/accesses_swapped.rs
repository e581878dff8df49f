// SPDX-License-Identifier: GPL-2.0
// The accesses to two mapped pages exchanged, so that one ends as the other.

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
